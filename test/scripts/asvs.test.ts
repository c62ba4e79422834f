import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { otherChapters } from "../../scripts/asvs/other-chapters.ts";
import { pathways } from "../../scripts/asvs/pathways.ts";
import { keysOf, sessionProcedures } from "../../scripts/asvs/procedures.ts";
import { asvsProblems, renderAsvs, requirements } from "../../scripts/asvs/table.ts";
import { type Naming, namingsIn } from "../../scripts/asvs/titles.ts";
import type { ProcedureLike } from "../../scripts/generate/api-types.ts";
import { readRouter } from "../../scripts/generate/router.ts";
import { repositoryFiles } from "../../scripts/lib/repository.ts";
import { ROOT } from "../../scripts/lib/run.ts";

/** Put together here, so that this file's own examples name no requirement. */
const WORD = ["AS", "VS"].join("");
const router = (await readRouter())._def.procedures as unknown as Record<string, ProcedureLike>;

function sectionsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), "utf8");
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading.trim());
}

describe("the requirements of V6 and V7", () => {
  test("each is named by a test, documented, or left for a reason, and titles name only listed ids", async () => {
    expect(asvsProblems(namingsIn(await repositoryFiles()), sectionsOf)).toEqual([]);
  });

  test("have the ids and levels of the standard, as do the other chapters", () => {
    const standard = JSON.parse(readFileSync(join(ROOT, "test/vectors/asvs-5.0.json"), "utf8"));
    const levels = (list: readonly { id: string; level: number }[]) =>
      Object.fromEntries(list.map(({ id, level }) => [id, level]));
    const others = Object.values(otherChapters).flatMap(({ ids }) =>
      Object.entries(ids).flatMap(([level, line]) =>
        line
          .split(" ")
          .filter(Boolean)
          .map((id) => ({ id, level: Number(level) })),
      ),
    );
    expect(levels([...requirements, ...others])).toEqual(standard);
  });
});

describe("finds what would make the table untrue", () => {
  const decided = requirements.filter(({ left, documented }) => !left && !documented).map(({ id }) => id);
  const naming = (...ids: string[]): Naming => ({ file: "test/a.test.ts", line: 3, title: "a", ids });
  const sections = () => requirements.flatMap(({ documented }) => documented?.section ?? []);
  const problems = (...namings: Naming[]) => asvsProblems(namings, sections);
  const whole = naming(...decided);

  test("finds nothing when every requirement is named", () => {
    expect(problems(whole)).toEqual([]);
  });

  test("a requirement without a test or a reason", () => {
    expect(problems(naming(...decided.filter((id) => id !== "6.2.8")))).toEqual([
      expect.stringMatching(/^6\.2\.8: no test names it/),
    ]);
  });

  test("an id that is not on the list, and the word without an id", () => {
    expect(problems(whole, naming("6.2.99"))).toEqual([`test/a.test.ts:3: ${WORD} 6.2.99 is not on the list`]);
    expect(problems(whole, naming())).toEqual([`test/a.test.ts:3: says ${WORD} but names no requirement`]);
  });

  test("a reason beside a test", () => {
    expect(problems(whole, naming("6.6.4"))).toEqual([expect.stringMatching(/^6\.6\.4: a test shows it/)]);
  });

  test("a missing section", () => {
    const lacking = asvsProblems([whole], () => sections().filter((name) => !name.startsWith("How long")));
    expect(lacking.map((problem) => problem.slice(0, 5))).toEqual(["7.1.1", "7.1.2", "7.1.3"]);
  });
});

describe("titles", () => {
  const read = (text: string, path = "test/a.test.ts") =>
    namingsIn([{ path, text: text.replaceAll("STANDARD", WORD) }]);

  test.each<[string, string, string, string[]]>([
    ["one id", 'test("a (STANDARD 6.2.1)", f);', "a", ["6.2.1"]],
    ["several", 't.test("a (STANDARD 6.2.1, 7.4.3 and 10.4.8)", f);', "a", ["6.2.1", "7.4.3", "10.4.8"]],
    ["sections of RFCs before it", 'test("a (RFC 9700 4.1.4, STANDARD 6.2.1)", f);', "a (RFC 9700 4.1.4)", ["6.2.1"]],
    ["an RFC after it", 'test("a (STANDARD 6.2.1; RFC 8725 1.2.3)", f);', "a (RFC 8725 1.2.3)", ["6.2.1"]],
    ["a word after it", 'test("a (STANDARD 7.2.4: fixation)", f);', "a (fixation)", ["7.2.4"]],
    ["a template", `describe(\`a \${b} c (STANDARD 6.2.1)\`, f);`, "a … c", ["6.2.1"]],
    ["no id", 'test("a (STANDARD 13)", f);', "a (13)", []],
  ])("%s", (_name, text, title, ids) => {
    expect(read(text)).toEqual([{ file: "test/a.test.ts", line: 1, title, ids }]);
  });

  test("comments, other files and other strings name no requirement", () => {
    expect(read('// STANDARD 6.2.1\n/** STANDARD 6.2.1 */\ntest("a", f);')).toEqual([]);
    expect(read('test("a (STANDARD 6.2.1)", f);', "src/a.test.ts")).toEqual([]);
    expect(read('test("a (STANDARD 6.2.1)", f);', "test/support/a.ts")).toEqual([]);
  });
});

test("the table does not depend on the order of the files, and keeps a bar in its cell", () => {
  const [a, b] = ["b", "a"].map((name) => ({
    path: `test/${name}.test.ts`,
    text: `test("${name} | <x> (${WORD} 6.2.1)", f);`,
  }));
  if (!a || !b) throw new Error("two files were made");
  const text = renderAsvs(namingsIn([a, b]));
  expect(text).toBe(renderAsvs(namingsIn([b, a])));
  expect(text).toContain("[test/a.test.ts](a.test.ts): a \\| &lt;x><br>[test/b.test.ts]");
});

describe("the procedures", () => {
  test("each procedure that answers with tokens is documented, and there is no other (ASVS 6.3.4)", () => {
    expect(pathways.map(({ name }) => name).sort()).toEqual(sessionProcedures(router));
  });

  const inputs = Object.entries(router).map(([name, { _def }]) => {
    return {
      name,
      meta: _def.meta as { access: { kind: string } },
      fields: _def.inputs.flatMap((input) => [...keysOf(input)]),
    };
  });

  test("no procedure takes a hint or the answer to a secret question (ASVS 6.4.2)", () => {
    expect(inputs.flatMap(({ fields }) => fields)).toContain("password");
    const asked = inputs.filter(({ fields }) => fields.some((field) => /hint|question|answer|maiden/i.test(field)));
    expect(asked.map(({ name }) => name)).toEqual([]);
  });

  test("no management procedure lets a caller choose another person's password", () => {
    const management = inputs.filter(({ meta }) => meta.access.kind === "key");
    expect(management.length).toBeGreaterThan(10);
    expect(management.filter(({ fields }) => fields.some((field) => /password/i.test(field)))).toEqual([]);
  });
});

test("ids, codes and secrets come from the system's random generator, never from Math.random (ASVS 6.5.3, 11.5.1)", async () => {
  const files = (await repositoryFiles()).filter(({ path }) => /^(src|web)\/.*\.tsx?$/.test(path));
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter(({ text }) => /\bMath\s*\.\s*random\b/.test(text)).map(({ path }) => path)).toEqual([]);
});

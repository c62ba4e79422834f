import { describe, expect, test } from "bun:test";
import { blocksOf, fileNameOf, matchesJson, matchesText } from "./support/blocks.ts";
import { allBlocks } from "./support/documents.ts";

const blocks = allBlocks();

/** Every reason for a block that does not run, with the number of its blocks. A new reason is decided here. */
const REASONS = {
  "it runs for minutes": 1,
  "it needs systemd": 1,
  "it shows the folders": 1,
  "it is a commit message": 1,
  "Expo's packages are not installed": 1,
  "Electron is not installed": 1,
};

const LANGUAGES = ["sh", "ts", "tsx", "js", "json", "toml", "text", "mermaid", "ini"];

describe("the blocks of the README and the guides", () => {
  test("are skipped only for the listed reasons", () => {
    const counts: Record<string, number> = {};
    for (const { mark } of blocks) if (mark.kind === "skip") counts[mark.reason] = (counts[mark.reason] ?? 0) + 1;
    expect(counts).toEqual(REASONS);
  });

  test("are in languages that the tests can read", () => {
    const others = blocks.filter(({ language }) => !LANGUAGES.includes(language));
    expect(others.map(({ document, line, language }) => `${document}:${line}: ${language}`)).toEqual([]);
  });

  test("parse if they hold data, and begin with the kind of a diagram if they draw", () => {
    for (const { language, text } of blocks) {
      if (language === "json") JSON.parse(text);
      if (language === "toml") Bun.TOML.parse(text);
      // A semicolon ends a statement, and GitHub would show an error instead of the picture.
      if (language === "mermaid") expect(text).toMatch(/^(flowchart|sequenceDiagram)\b[^;]*$/);
    }
  });
});

describe("the reader of blocks", () => {
  const read = (text: string) => blocksOf("a.md", text);

  test("reads a mark from the comment directly above, and the line of the fence", () => {
    const [plain, marked] = read(
      "x\n\n```sh\nls\n```\n\n<!-- block: skip, it runs for minutes -->\n```sh\nnpm test\n```\n",
    );
    expect(plain).toEqual({ document: "a.md", line: 3, language: "sh", text: "ls\n", mark: { kind: "run" } });
    expect(marked?.mark).toEqual({ kind: "skip", reason: "it runs for minutes" });
  });

  test.each(["skip", "skip,", "later"])("refuses the mark %p", (mark) => {
    expect(() => read(`<!-- block: ${mark} -->\n\`\`\`sh\nls\n\`\`\`\n`)).toThrow("a.md:2");
  });

  test("knows the file name under which a reader saves a block", () => {
    const [named, unnamed] = read("```js\n// server.mjs\nf();\n```\n```js\n// It serves.\nf();\n```\n");
    expect([named, unnamed].map((block) => block && fileNameOf(block))).toEqual(["server.mjs", null]);
  });

  test("finds the shown lines in order, with an ellipsis for any text", () => {
    expect(matchesText("a … c\n\nd", "x\na b  c\ny\nd\n")).toBe(true);
    expect(matchesText("d\na … c", "a b c\nd\n")).toBe(false);
    expect(matchesText("a.c", "abc")).toBe(false);
  });

  test("finds the shown members of an answer, and reports a missing one", () => {
    expect(matchesJson({ a: "…", b: [{ c: 1 }] }, { a: null, b: [{ c: 1, d: 2 }], e: 3 })).toBe(true);
    expect(matchesJson({ a: "sk_…" }, { a: "sk_1" })).toBe(true);
    expect(matchesJson({ a: "sk_…" }, { a: "x" })).toBe(false);
    expect(matchesJson({ a: "…" }, {})).toBe(false);
    expect(matchesJson({ a: 1 }, { a: 2 })).toBe(false);
  });
});

import { describe, expect, test } from "bun:test";
import { commitFaults } from "../../scripts/lib/commits.ts";
import { phraseProblems } from "../../scripts/lib/plain-english.ts";
import { proseOf } from "../../scripts/lib/prose.ts";

const problemsOf = (text: string, path = "src/a.ts") => phraseProblems({ path, text });
/** Returns the names in `path:line: "name": the remedy (words)`. */
const namesOf = (text: string, path?: string) => problemsOf(text, path).map((problem) => problem.split('"')[1]);

describe("the plain English check", () => {
  test.each([
    ["whoever", "Backups are made by whoever has no key.", "whoever"],
    ["a preposition before who", "Throws `conflict` for who has no factor.", "for who …"],
    ["a sentence that begins with Who", "Done. Who has none signs in.", "Who …"],
    ["a comment that begins with Who", "Who is signed in.", "Who …"],
    ["a clause after a colon", "It answers early: who waits is told.", "Who …"],
    ["a comment that begins with What", "What a mail holds.", "What …"],
    ["a preposition before what", "Null for what nobody made.", "for what …"],
    ["is no", "A word that is no audience.", "is no …"],
    ["is none", "Another key is none there.", "is none"],
    ["of ours", "A token of ours.", "of ours"],
    ["tells of", "The log tells of it.", "tells of"],
    ["nobody of", "Null for nobody of the tenant.", "nobody of"],
    ["at this moment", "Busy at this moment.", "at this moment"],
    ["for want of", "It is small, for want of more.", "for want of"],
    ["that which", "It keeps that which it was given.", "that which"],
  ])("finds %s", (_, sentence, name) => {
    expect(namesOf(`/** ${sentence} */`)).toEqual([name]);
    expect(namesOf(`const message = "${sentence}";`)).toEqual([name]);
    expect(namesOf(sentence, "web/docs/a.md")).toEqual([name]);
    expect(namesOf(`# ${sentence}`, "test/interop/a.py")).toEqual([name]);
    expect(namesOf(`// ${sentence}`, "test/interop/a.go")).toEqual([name]);
    expect(namesOf(`<p>${sentence}</p>`, "web/a.html")).toEqual([name]);
  });

  test("finds both faults of null for what is no token", () => {
    expect(namesOf("/** Null for what is no token. */")).toEqual(["for what …", "what is no …", "is no …"]);
  });

  test.each([
    "Returns null unless this is a refresh token of a known session.",
    "There is no key, and there is none to come.",
    "It is no longer valid, and it is no more than a hint.",
    "Who is that? What does it hold?",
    "What to check in every language.",
    "Users who have a passkey know what they chose.",
  ])("leaves %p alone", (sentence) => {
    expect(namesOf(`/** ${sentence} */`)).toEqual([]);
    expect(namesOf(sentence, "README.md")).toEqual([]);
  });

  test("finds a turn of phrase across the lines of a comment, and names the line where it begins", () => {
    expect(problemsOf("const x = 1;\n/**\n * A token that is\n * no token.\n */")).toEqual([
      `src/a.ts:3: "is no …": say "is not a …" (is no token. */)`,
    ]);
    expect(namesOf("// a copy for\n// who asks")).toEqual(["for who …"]);
  });

  test("skips code, fenced blocks and text between backticks", () => {
    expect(namesOf('const whoever = "whoever"; if (a) /whoever is it/.test(b);')).toEqual([]);
    expect(namesOf("```ts\n// whoever\n```\nSay `whoever` here.", "README.md")).toEqual([]);
  });

  test("does not join two strings, comments or cells to a sentence", () => {
    expect(namesOf('f("a b c for", "who d e");')).toEqual([]);
    expect(namesOf("| this is | no cell |", "README.md")).toEqual([]);
  });

  test("keeps every offset of the file", () => {
    const text = ["const a = `one two $", "{b} three four five`; // six\n/* seven */"].join("");
    expect(proseOf({ path: "src/a.ts", text })).toHaveLength(text.length);
    expect(proseOf({ path: "src/a.json", text })).toBeNull();
  });
});

describe("the check of commit messages", () => {
  const faults = (subject: string, body = "Because.") => commitFaults({ hash: "abc", subject, body });

  test("accepts an area, a colon and a short summary in lower case", () => {
    expect(faults("tests: restore the template in one statement")).toEqual([]);
    expect(faults("sdk/server: refuse a jti of a wrong type")).toEqual([]);
  });

  test.each([
    "Restore the template in one statement",
    "tests: Restore the template",
    "tests: restore.",
    "tests:restore it",
  ])("refuses the subject %p", (subject) => {
    expect(faults(subject)).toHaveLength(1);
  });

  test("refuses a long subject and a missing body", () => {
    expect(faults(`tests: restore ${"x".repeat(72)}`)).toHaveLength(1);
    expect(faults("tests: restore the template", "")).toEqual(["the body is missing: say why the change is made"]);
  });
});

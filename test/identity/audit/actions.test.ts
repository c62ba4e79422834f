import { expect, test } from "bun:test";
import { repositoryFiles } from "../../../scripts/lib/repository.ts";
import { AUDIT_ACTIONS } from "../../../src/identity/audit/actions.ts";

test("the code uses every listed audit action, and every action has a meaning", async () => {
  const files = (await repositoryFiles()).filter(
    ({ path }) => /^src\/.*\.ts$/.test(path) && path !== "src/identity/audit/actions.ts",
  );
  const code = files.map(({ text }) => text).join("\n");
  const unused = Object.keys(AUDIT_ACTIONS).filter((action) => !code.includes(`"${action}"`));
  expect(unused).toEqual([]);
  for (const [action, meaning] of Object.entries(AUDIT_ACTIONS)) {
    expect(action).toMatch(/^[a-z_]+\.[a-z_]+$/);
    expect([action, meaning]).toEqual([action, expect.stringMatching(/^[A-Z].*[.]$/)]);
  }
  expect(Object.keys(AUDIT_ACTIONS)).toEqual(Object.keys(AUDIT_ACTIONS).toSorted());
});

test("only an act writes to the audit log, and no feature writes its own entries", async () => {
  const files = (await repositoryFiles()).filter(({ path }) => /^src\/(?!identity\/audit\/).*\.ts$/.test(path));
  expect(files.length).toBeGreaterThan(100);
  const writers = files.filter(({ text }) => /\bappend(?:Audit|Refusal)\b/.test(text));
  expect(writers.map(({ path }) => path)).toEqual([]);
});

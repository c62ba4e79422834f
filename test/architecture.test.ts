import { describe, expect, test } from "bun:test";
import { architectureProblems } from "../scripts/lib/architecture.ts";
import { repositoryFiles, type SourceFile } from "../scripts/lib/repository.ts";

test("the application keeps to the import rule and the house rules of the architecture guide", async () => {
  const files = (await repositoryFiles()).filter(({ path }) => /^(src|web)\/.*\.tsx?$/.test(path));
  expect(files.length).toBeGreaterThan(0);
  expect(architectureProblems(files)).toEqual([]);
});

test("each folder of tests has the name of the folder that it tests", async () => {
  const paths = (await repositoryFiles()).map(({ path }) => path);
  const tested = paths.flatMap((path) => /^test\/((?:features|identity)\/[^/]+)\//.exec(path)?.[1] ?? []);
  expect(tested.length).toBeGreaterThan(0);
  expect(tested.filter((folder) => !paths.some((path) => path.startsWith(`src/${folder}/`)))).toEqual([]);
});

function problemsOf(...files: [path: string, text: string][]): string[] {
  return architectureProblems(files.map(([path, text]): SourceFile => ({ path, text })));
}

/** The first test also passes if a rule never fires. These tests see each rule fire. */
describe("finds a violation of each rule", () => {
  const violations: [rule: string, path: string, text: string, problem: RegExp][] = [
    [
      "a layer imports a layer above it",
      "src/core/a.ts",
      'import { x } from "../storage/b.ts";',
      /core must not import storage/,
    ],
    [
      "by type only",
      "src/crypto/a.ts",
      'import type { X } from "../identity/b.ts";',
      /crypto must not import identity/,
    ],
    ["by the type of a module", "src/core/a.ts", 'type X = import("../crypto/b.ts").X;', /core must not import crypto/],
    [
      "dynamically",
      "src/http/a.ts",
      'const x = await import("../features/b/index.ts");',
      /http must not import features/,
    ],
    ["by re-export", "src/rpc/a.ts", 'export * from "../http/b.ts";', /rpc must not import http/],
    ["for its side effects", "src/mail/a.ts", 'import "../identity/b.ts";', /mail must not import identity/],
    ["zod instead of its lazy form", "src/rpc/a.ts", 'import { z } from "zod";', /import core\/zod\.ts/],
    [
      "as a worker",
      "src/storage/a.ts",
      'new Worker(new URL("../crypto/w.ts", import.meta.url));',
      /storage must not import crypto/,
    ],
    ["as a worker by its name", "src/storage/a.ts", 'new Worker("../crypto/w.ts");', /storage must not import crypto/],
    [
      "a page's script, outside of the page's own file",
      "src/http/server.ts",
      'import * as main from "../../web/link/main.ts";',
      /http must not import web/,
    ],
    [
      "another page's script",
      "src/http/link-page.ts",
      'import * as main from "../../web/admin/main.ts";',
      /http must not import web/,
    ],
    ["over several lines", "src/core/a.ts", 'import {\n  x, // y\n} from\n  "../app.ts";', /core must not import app/],
    ["a sibling", "src/mail/a.ts", 'import { x } from "../crypto/b.ts";', /mail must not import crypto/],
    [
      "features import each other",
      "src/features/a/router.ts",
      'import { x } from "../b/service.ts";',
      /must not import src\/features\/b/,
    ],
    [
      "a feature imports the registry",
      "src/features/a/router.ts",
      'import { x } from "../index.ts";',
      /must not import src\/features\/index/,
    ],
    [
      "the SDK imports the server",
      "src/sdk/server/a.ts",
      'import type { X } from "../../core/errors.ts";',
      /sdk must not import core/,
    ],
    ["the SDK needs Bun", "src/sdk/server/a.ts", 'import { serve } from "bun";', /without Bun/],
    ["the SDK imports a built-in by its bare name", "src/sdk/server/a.ts", 'import "crypto";', /without node:/],
    [
      "the server imports the SDK",
      "src/identity/a.ts",
      'import { x } from "../sdk/server/b.ts";',
      /identity must not import sdk/,
    ],
    [
      "a page imports the server",
      "web/admin/main.tsx",
      'import { x } from "../../src/core/a.ts";',
      /web must not import core/,
    ],
    [
      "the application imports a test",
      "src/core/a.ts",
      'import { x } from "../../test/a.ts";',
      /not a part of the application/,
    ],
    ["an unknown layer", "src/shared/a.ts", 'import { x } from "../core/b.ts";', /no layer/],
    ["a tagged query", "src/features/a/service.ts", "const q = sql<Row>`anything`;", /builds a query/],
    ["a built query", "src/identity/users/users.ts", 'await at.selectFrom("users").execute();', /builds a query/],
    ["the query builder itself", "src/identity/users/users.ts", "const db = tx.kysely;", /builds a query/],
    ["SQL in a string", "src/http/a.ts", 'run("select id from users");', /SQL outside/],
    ["SQL in a template", "src/cli/a.ts", "run(`DELETE FROM ${table}`);", /SQL outside/],
    ["a database driver", "src/cli/a.ts", 'import { Database } from "bun:sqlite";', /imports bun:sqlite/],
    [
      "a feature imports a store of identity",
      "src/features/a/service.ts",
      'import { insertSession } from "../../identity/sessions/store.ts";',
      /private to src\/identity\/sessions/,
    ],
    [
      "another folder of identity imports it too",
      "src/identity/flows/flows.ts",
      'import { findUser } from "../users/emails/store.ts";',
      /private to src\/identity\/users/,
    ],
    ["another feature's table", "src/features/a/store.ts", 'at.selectFrom("passkeys");', /table of features\/passkeys/],
    ["its alias", "src/mail/store.ts", 'at.selectFrom("users as other");', /table of identity\/users/],
    ["its join", "src/identity/flows/store.ts", 'q.innerJoin("users", "a", "b");', /table of identity\/users/],
    ["a loop over tables", "src/mail/store.ts", 'for (const t of ["passkeys"] as const) d(t);', /features\/passkeys/],
    ["its text", "src/features/a/store.ts", "sql`SELECT 1 FROM sessions`;", /table of identity\/sessions/],
    [
      "a write where only a join is allowed",
      "src/identity/sessions/store.ts",
      'tx.updateTable("users");',
      /table of identity\/users/,
    ],
    ["the environment", "src/identity/a.ts", "const x = process.env.HOME;", /environment/],
    ["Bun's environment", "src/http/a.ts", "const x = Bun.env.HOME;", /environment/],
    ["the time", "src/identity/a.ts", "const x = Date.now();", /time/],
    ["the time as a date", "src/http/a.ts", "const x = `${new Date().toISOString()}`;", /time/],
    ["the time as a function", "src/http/a.ts", "const clock = { now: Date.now };", /time/],
    ["the time in the SDK", "src/sdk/server/a.ts", "const x = Date.now();", /only the default of an option/],
    ["guessable numbers", "src/identity/a.ts", "const x = Math.random();", /guessed/],
    [
      "a class that takes all of identity",
      "src/features/a/service.ts",
      "class A { constructor(private readonly identity: Identity) {} }",
      /takes the whole Identity/,
    ],
    ["a default export", "src/http/a.ts", "export default function x() {}", /by default/],
  ];
  test.each(violations)("%s", (_rule, path, text, problem) => {
    const problems = problemsOf([path, text]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test("a ring of files", () => {
    const problems = problemsOf(
      ["src/core/a.ts", 'import { b } from "./b.ts";'],
      ["src/core/b.ts", 'import { c } from "./c.ts";'],
      ["src/core/c.ts", 'import type { A } from "./a.ts";'],
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts");
  });

  test("a ring of folders of identity, made by files that do not import each other", () => {
    const problems = problemsOf(
      ["src/identity/a/one.ts", 'import type { B } from "../b/one.ts";'],
      ["src/identity/b/two.ts", 'import { c } from "../c/one.ts";'],
      ["src/identity/c/two.ts", 'import { a } from "../a/two.ts";'],
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("src/identity/a -> src/identity/b -> src/identity/c -> src/identity/a");
  });

  test("a folder of identity that imports the file that composes it", () => {
    const problems = problemsOf(
      ["src/identity/identity.ts", 'import { A } from "./a/one.ts";'],
      ["src/identity/a/two.ts", 'import type { Identity } from "../identity.ts";'],
    );
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("src/identity/identity.ts -> src/identity/a -> src/identity/identity.ts");
  });

  test("names the line", () => {
    expect(problemsOf(["src/http/a.ts", "// one\nconst two = 2;\nexport default two;\n"])).toEqual([
      "src/http/a.ts:3: exports by default",
    ]);
  });
});

describe("allows correct code", () => {
  const allowed: [what: string, path: string, text: string][] = [
    ["every layer below", "src/app.ts", 'import { a } from "./http/a.ts";\nimport { b } from "./core/b.ts";'],
    ["the registry", "src/features/index.ts", 'import { a } from "./password/index.ts";'],
    ["a feature's own files", "src/features/a/router.ts", 'import { a } from "./service.ts";'],
    ["pages that http embeds", "src/http/assets.ts", 'import admin from "../../web/admin/index.html";'],
    ["scripts that a page's file embeds", "src/http/link-page.ts", 'import * as main from "../../web/link/main.ts";'],
    ["packages in the SDK", "src/sdk/client/a.ts", 'import { x } from "@trpc/client";\nimport "node:crypto";'],
    ["queries in a store", "src/features/a/store.ts", 'import { sql } from "kysely";\nat.selectFrom("things");'],
    ["a store of its own folder", "src/identity/users/users.ts", 'import { findUser } from "./emails/store.ts";'],
    ["a table's own store", "src/features/passkeys/store.ts", 'at.selectFrom("passkeys");'],
    ["a join on the hot path", "src/identity/sessions/store.ts", 'q.innerJoin("users", "a", "b");'],
    ["a clock that the SDK's user may replace", "src/sdk/server/a.ts", "const now = options.now ?? Date.now;"],
    ["the environment in a command", "src/cli/serve.ts", "const x = process.env.HOME;"],
    ["a date for a given time", "src/http/a.ts", "const x = new Date(ms).toISOString();"],
    ["comments", "src/http/a.ts", '// Date.now() and import "../features/a.ts"\n/* process.env */'],
    ["strings", "src/http/a.ts", "const a = \"Date.now()\"; const b = 'process.env'; const c = `Math.random ${a}`;"],
    ["regular expressions", "src/http/a.ts", 'const quote = /["\'`/]/; const b = quote.test("export default");'],
    [
      "prose that begins like SQL",
      "src/http/a.ts",
      'const text = "Update your password, then delete from your device";',
    ],
    ["addresses", "src/http/a.ts", 'const u = new URL("/v1/auth", base);'],
  ];
  test.each(allowed)("%s", (_what, path, text) => {
    expect(problemsOf([path, text])).toEqual([]);
  });
});

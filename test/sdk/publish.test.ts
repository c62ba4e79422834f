import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";

/** Checks the packed package with the usual tools, and prints its cost for a consumer's compiler. */
const root = fileURLToPath(new URL("../..", import.meta.url));
let project: string;
let tarball: string;

async function run(command: string[], cwd: string) {
  const child = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe", stdin: "ignore" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, text: out + err };
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "sallyport-publish-"));
  const sdk = join(project, "package/dist/sdk");
  await mkdir(join(project, "package"), { recursive: true });
  expect(await run([process.execPath, "run", "scripts/build-sdk.ts", sdk], root)).toMatchObject({ code: 0 });
  for (const name of ["package.json", "README.md", "LICENSE", "CHANGELOG.md"]) {
    await cp(join(root, name), join(project, "package", name));
  }
  expect(
    await run(["npm", "pack", "--ignore-scripts", "--pack-destination", project], join(project, "package")),
  ).toMatchObject({
    code: 0,
  });
  tarball = (await readdir(project)).find((name) => name.endsWith(".tgz")) ?? "";
}, 120_000);

afterAll(() => rm(project, { recursive: true, force: true }));

test("publint finds nothing", async () => {
  const { messages } = await publint({ pkgDir: join(project, "package"), level: "suggestion", pack: false });
  expect(messages).toEqual([]);
});

test("attw finds nothing: the types of every entry point resolve as its code does", async () => {
  const attw = join(root, "node_modules/.bin/attw");
  // React's frameworks read ES modules.
  for (const options of [
    ["--profile", "esm-only", "--exclude-entrypoints", "react/styles.css"],
    ["--profile", "strict", "--exclude-entrypoints", "react/styles.css", "react"],
  ]) {
    const { code, text } = await run([attw, join(project, tarball), ...options], project);
    if (code !== 0) throw new Error(text);
  }
});

test("a consumer of every entry point type-checks, and the cost is printed", async () => {
  const consumer = join(project, "consumer");
  await cp(join(root, "test/consumer/entry-points"), consumer, { recursive: true });
  await mkdir(join(consumer, "node_modules/@types"), { recursive: true });
  await symlink(join(project, "package"), join(consumer, "node_modules/sallyport"));
  for (const name of ["react", "@types/react", "csstype"]) {
    await symlink(join(root, "node_modules", name), join(consumer, "node_modules", name));
  }
  const tsc = join(root, "node_modules/.bin/tsc");
  const { code, text } = await run([tsc, "-p", ".", "--extendedDiagnostics", "--preserveSymlinks"], consumer);
  if (code !== 0) throw new Error(text);
  const figures = text
    .split("\n")
    .filter((line) => /^(Check time|Total time|Memory used|Instantiations|Types):/.test(line));
  expect(figures.length).toBeGreaterThan(2);
  console.log(["type-checking a consumer of every entry point", ...figures].join("\n  "));
});

test.each([["es2022"], ["es2022,dom"]])(
  "a server and an app compile with --lib %s, no other types, and every declaration checked",
  async (lib) => {
    const server = join(project, `server-${lib.length}`);
    await mkdir(join(server, "node_modules"), { recursive: true });
    await symlink(join(project, "package"), join(server, "node_modules/sallyport"));
    await Bun.write(join(server, "package.json"), '{ "type": "module" }');
    await Bun.write(
      join(server, "index.ts"),
      `import { createClient, createSession } from "sallyport/client";
      import { requireSession } from "sallyport/express";
      import { ManagementClient } from "sallyport/management";
      import { SallyportServer } from "sallyport/server";
      export const handler = requireSession();
      // An app of React Native or Electron has no page's types.
      const storage = { get: () => null, set: async () => {}, delete: async () => {} };
      export const session = createSession(createClient(), { storage });
      export const token: Promise<string | null> = session.getAccessToken();
      // @ts-expect-error
      createSession(createClient(), { storage: { get: () => 1, set: () => {}, delete: () => {} } });
      export const users = new ManagementClient({}).users.list();
      export async function statusOf(request: Parameters<SallyportServer["authenticateRequest"]>[0]) {
        const { response } = await new SallyportServer().authenticateRequest(request);
        const fetch: ConstructorParameters<typeof SallyportServer>[0] = { fetch: async () => { throw new Error(); } };
        // Neither is \`any\`, which would take everything.
        // @ts-expect-error
        request.nonsense;
        const status: number | undefined = response?.status;
        return { fetch, status, text: await response?.text() };
      }`,
    );
    const options = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "false",
      "--lib",
      lib,
      "--types",
      "",
      "--preserveSymlinks",
    ];
    const tsc = join(root, "node_modules/.bin/tsc");
    const modules = ["--target", "es2022", "--module", "node16", "--moduleResolution", "node16"];
    expect(await run([tsc, ...options, ...modules, "index.ts"], server)).toMatchObject({ code: 0, text: "" });
  },
);

test("an uncaught error prints a few lines, and with source maps the source files", async () => {
  const file = join(project, "fault.mjs");
  await Bun.write(
    file,
    `import { SallyportServer } from "./package/dist/sdk/server/index.js";\nnew SallyportServer({ baseUrl: "x" });\n`,
  );
  const plain = await run(["node", file], project);
  expect(plain.text).toContain("SallyportError: baseUrl must be");
  expect(Math.max(...plain.text.split("\n").map((line) => line.length))).toBeLessThan(300);
  expect(plain.text.length).toBeLessThan(3_000);
  const mapped = await run(["node", "--enable-source-maps", file], project);
  expect(mapped.text).toMatch(/sdk\/server\/sallyport-server\.ts:\d+/);
});

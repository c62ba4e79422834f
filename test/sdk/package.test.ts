import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOf } from "../support/nodes.ts";
import { type Appliance, startAppliance } from "./support/appliance.ts";

/** The package as it is published: packed, installed without a network, type-checked and run by another project. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const bun = process.execPath;
let project: string;
let appliance: Appliance;

async function run(command: string[], cwd: string, env: Record<string, string> = {}) {
  const child = Bun.spawn(command, { cwd, env: { ...process.env, ...env }, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

async function succeed(command: string[], cwd: string, env?: Record<string, string>): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, cwd, env);
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed:\n${stdout}\n${stderr}`);
  return stdout;
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "sallyport-consumer-"));
  await succeed([bun, "run", "scripts/build-sdk.ts"], root);
  await succeed(["npm", "pack", "--ignore-scripts", "--pack-destination", project], root);
  await cp(join(root, "test/consumer"), project, { recursive: true });
  const tarball = (await readdir(project)).find((name) => name.endsWith(".tgz"));
  await succeed(["npm", "install", "--offline", "--no-audit", "--no-fund", `./${tarball}`], project);
  appliance = await startAppliance();
}, 120_000);

afterAll(async () => {
  await appliance.stop();
  await rm(project, { recursive: true, force: true });
});

describe("the package", () => {
  test("brings no other package along, and only its own build", async () => {
    const tree = JSON.parse(await succeed(["npm", "ls", "--all", "--json"], project));
    expect(Object.keys(tree.dependencies)).toEqual(["sallyport"]);
    // An optional peer is named, but not installed.
    expect(tree.dependencies.sallyport.dependencies).toEqual({ react: {} });
    expect((await readdir(join(project, "node_modules"))).filter((name) => !name.startsWith("."))).toEqual([
      "sallyport",
    ]);
    const files = await readdir(join(project, "node_modules/sallyport"), { recursive: true });
    expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
    expect(files).toContain("dist/sdk/client/index.d.ts");
    for (const file of files.filter((name) => name.endsWith(".d.ts"))) {
      const text = await Bun.file(join(project, "node_modules/sallyport", file)).text();
      // React is the consumer's.
      const stranger = file.startsWith("dist/sdk/react/") ? /from "(?!\.|react")/ : /from "(?!\.)/;
      expect(text).not.toMatch(stranger);
      expect(text).not.toMatch(/reference types|\.tsx?"/);
    }
  });

  test("its React entry point includes neither React nor another entry point, and its styles are packed", async () => {
    const door = join(project, "node_modules/sallyport/dist/sdk/react");
    const text = await Bun.file(join(door, "index.js")).text();
    expect(text).toStartWith('"use client";');
    const imports = [...text.matchAll(/\bfrom ?"([^"]+)"/g)].map(([, name = ""]) => name);
    expect(new Set(imports)).toEqual(new Set(["react", "react/jsx-runtime"]));
    expect(Bun.resolveSync("sallyport/react/styles.css", project)).toBe(join(door, "styles.css"));
  });

  test.each([
    ["Node16", "Node16"],
    ["NodeNext", "NodeNext"],
    ["ESNext", "bundler"],
  ])("type-checks under --module %s --moduleResolution %s", async (module, resolution) => {
    const tsc = join(root, "node_modules/.bin/tsc");
    await succeed([tsc, "-p", ".", "--noEmit", "--module", module, "--moduleResolution", resolution], project);
  });

  test.each([["node"], [bun]])("works under %s", async (runtime) => {
    await succeed([join(root, "node_modules/.bin/tsc"), "-p", "."], project);
    const printed = JSON.parse(await succeed([runtime, "out/index.js"], project, appliance.env));
    expect(printed).toMatchObject({ same: true, listed: 1, fresh: true, oneClass: true });
    expect(printed.behindExpress).toBe(printed.user);
    expect(printed.sub).toBe(printed.user);
    expect(printed.refusals).toEqual([
      "authentication_required",
      "authentication_required",
      "invalid_credentials",
      "configuration_error",
      "configuration_error",
      "401",
    ]);
  });

  // The oldest and the newest Node that cannot `require` an ES module, and the one on this machine.
  test.each(["18.0.0", "20.0.0", "22.11.0", "this"])(
    "is required by CommonJS under Node %s",
    async (version) => {
      const program = `const { createClient, SallyportError } = require("sallyport/client");
      const { requireSession } = require("sallyport/express");
      const { ManagementClient } = require("sallyport/management");
      const { SallyportServer, SallyportError: same } = require("sallyport/server");
      const { CONSUMER_EMAIL: email, CONSUMER_PASSWORD: password } = process.env;
      (async () => {
        const { access_token } = await createClient().auth.login.mutate({ email, password });
        const { sub } = await new SallyportServer().verifyToken(access_token);
        const request = { method: "GET", headers: { authorization: "Bearer " + access_token } };
        await new Promise((resolve) => requireSession()(request, {}, resolve));
        const refused = await new SallyportServer().verifyToken("x").catch((error) => error);
        const listed = typeof ManagementClient;
        process.stdout.write(JSON.stringify([sub === request.user.sub, refused instanceof SallyportError && same === SallyportError, listed]));
        process.exit(0);
      })();`;
      await Bun.write(join(project, "required.cjs"), program);
      const node = version === "this" ? "node" : await nodeOf(version);
      expect(JSON.parse(await succeed([node, "required.cjs"], project, appliance.env))).toEqual([
        true,
        true,
        "function",
      ]);
    },
    120_000,
  );

  test.each([
    ["TypeScript 5, --moduleResolution node", "old", "CommonJS", "node10"],
    ["TypeScript 5, --moduleResolution node16", "old", "Node16", "Node16"],
    ["--moduleResolution node16", "new", "Node16", "Node16"],
    ["--moduleResolution bundler", "new", "ESNext", "bundler"],
  ])("type-checks a CommonJS consumer under %s", async (_name, age, module, resolution) => {
    const consumer = join(project, "commonjs");
    await Bun.write(join(consumer, "package.json"), '{ "type": "commonjs" }');
    await Bun.write(
      join(consumer, "index.ts"),
      `import { createClient } from "sallyport/client";
      import { requireSession } from "sallyport/express";
      import { ManagementClient } from "sallyport/management";
      import { SallyportError, SallyportServer } from "sallyport/server";
      // @ts-expect-error: a wrong option is one, so the types have been found.
      requireSession({ audience: 7 });
      export const all = [createClient, ManagementClient, SallyportError, SallyportServer];`,
    );
    const old = "node_modules/@arethetypeswrong/core/node_modules/typescript/bin/tsc";
    const tsc = age === "old" ? ["node", join(root, old)] : [join(root, "node_modules/.bin/tsc")];
    const compilerOptions = {
      module,
      moduleResolution: resolution,
      target: "es2022",
      lib: ["es2022", "dom"],
      types: [],
    };
    const checks = { strict: true, skipLibCheck: false, noEmit: true };
    const config = { compilerOptions: { ...compilerOptions, ...checks }, files: ["index.ts"] };
    await Bun.write(join(consumer, "tsconfig.json"), JSON.stringify(config));
    await succeed([...tsc, "-p", "commonjs"], project);
  });

  test("has entry points that load only the files that they need", async () => {
    const built = join(root, "dist/sdk");
    const reach = async (file: string, seen = new Set<string>()): Promise<string> => {
      if (seen.has(file)) return "";
      seen.add(file);
      const text = await Bun.file(file).text();
      // No builtin, no package: every import is a file of the build.
      const imports = [...text.matchAll(/\bimport(?:\s*\{[^}]*\}\s*from|\s*\(?)\s*"([^"]+)"/g)].map(
        ([, name = ""]) => name,
      );
      expect(imports.filter((name) => !name.startsWith("."))).toEqual([]);
      const parts = await Promise.all(imports.map((name) => reach(join(file, "..", name), seen)));
      return text + parts.join("");
    };
    const doors = {
      client: "TRPC",
      management: "client_credentials",
      express: "requireScope",
      server: "sallyport-fpa",
    };
    for (const door of Object.keys(doors)) {
      const text = await reach(join(built, door, "index.js"));
      const found = Object.entries(doors).flatMap(([name, sign]) => (text.includes(sign) ? [name] : []));
      expect(found).toEqual([door]);
      expect(text.includes("oauth2/jwks")).toBe(door === "express" || door === "server");
    }
  });

  test("verifies by WebCrypto without node:crypto, Buffer and process", async () => {
    const program = `const { SALLYPORT_URL: baseUrl, SALLYPORT_APP_ID: applicationId, TOKEN } = process.env;
      const report = console.log;
      await fetch(baseUrl); // Node's fetch needs the globals that are removed next, once.
      globalThis.process = undefined;
      globalThis.Buffer = undefined;
      globalThis.crypto ??= webcrypto;
      const { SallyportServer } = await import("sallyport/server");
      const server = new SallyportServer({ baseUrl, applicationId });
      const claims = await server.verifyToken(TOKEN);
      const again = await server.verifyToken(TOKEN);
      const refused = await server.verifyToken(TOKEN.slice(0, -6)).catch((error) => error.details.reason);
      server.close(); // The stream uses fetch here, which keeps a Node process alive for a minute.
      report(JSON.stringify([claims.typ, claims === again, refused]));`;
    const imports = 'import { webcrypto } from "node:crypto";\n';
    await Bun.write(join(project, "edge.mjs"), imports + program);
    const { createClient } = await import("../../src/sdk/client/index.ts");
    const { SALLYPORT_URL: url, SALLYPORT_APP_ID: applicationId, CONSUMER_EMAIL, CONSUMER_PASSWORD } = appliance.env;
    const client = createClient({ url, applicationId });
    const credentials = { email: CONSUMER_EMAIL ?? "", password: CONSUMER_PASSWORD ?? "" };
    const signedIn = await client.auth.login.mutate(credentials);
    if (signedIn.status !== "success") throw new Error("the account has no second factor");
    const env = { ...appliance.env, TOKEN: signedIn.access_token };
    expect(JSON.parse(await succeed(["node", "edge.mjs"], project, env))).toEqual(["access", true, "signature"]);
  });

  test.each([["node"], [bun]])(
    "poll and stream keep no process alive under %s",
    async (runtime) => {
      const program = `import { createClient } from "sallyport/client";
      import { SallyportServer } from "sallyport/server";
      const { CONSUMER_EMAIL: email, CONSUMER_PASSWORD: password } = process.env;
      const server = new SallyportServer();
      const { access_token } = await createClient().auth.login.mutate({ email, password });
      for (;;) {
        await server.verifyToken(access_token);
        if (server.isStreaming()) break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      process.stdout.write("in step");`;
      await Bun.write(join(project, "ends.mjs"), program);
      const env = { ...process.env, ...appliance.env };
      const child = Bun.spawn([runtime, "ends.mjs"], { cwd: project, env, stdout: "pipe" });
      const ended = await Promise.race([child.exited, Bun.sleep(30_000).then(() => "still running")]);
      child.kill();
      expect([ended, await new Response(child.stdout).text()]).toEqual([0, "in step"]);
    },
    60_000,
  );
});

import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOf } from "../support/nodes.ts";
import { browserTest } from "./support/chromium.ts";
import { becomes, PASSWORD, Profile, setUpStage, signUp, stateOf, userOf } from "./support/stage.ts";

/** The oldest browsers that the guide names: Chrome 93, Edge 93, Firefox 98 and Safari 15.4. */
const root = fileURLToPath(new URL("../..", import.meta.url));

/** Everything of the platform that one of them lacks and a page could call. */
const YOUNGER = {
  AbortSignal: ["timeout", "any"],
  "AbortSignal.prototype": ["reason", "throwIfAborted"],
  "Array.prototype": ["findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with"],
  "Uint8Array.prototype": ["findLast", "toSorted", "toReversed", "with", "toBase64", "toHex"],
  Array: ["fromAsync"],
  Uint8Array: ["fromBase64", "fromHex"],
  Object: ["groupBy"],
  Map: ["groupBy"],
  Promise: ["withResolvers", "try"],
  URL: ["canParse", "parse"],
  Response: ["json"],
  "String.prototype": ["isWellFormed", "toWellFormed"],
  "Set.prototype": ["union", "intersection", "difference", "isSubsetOf", "isSupersetOf", "isDisjointFrom"],
  "Navigator.prototype": ["locks", "userActivation"],
  "Crypto.prototype": ["randomUUID"],
  PublicKeyCredential: ["parseCreationOptionsFromJSON", "parseRequestOptionsFromJSON", "getClientCapabilities"],
  "PublicKeyCredential.prototype": ["toJSON"],
  globalThis: ["structuredClone", "Iterator", "scheduler", "requestIdleCallback", "navigation"],
};

function removeAll(younger: Record<string, string[]>): void {
  for (const [path, names] of Object.entries(younger)) {
    const owner = path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], {
      ...Object.fromEntries(
        Object.getOwnPropertyNames(globalThis).map((name) => [name, Reflect.get(globalThis, name)]),
      ),
      globalThis,
    });
    for (const name of names) if (owner) Reflect.deleteProperty(owner as object, name);
  }
}

describe("every script that a page loads", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sallyport-syntax-"));
    return () => rm(folder, { recursive: true });
  });

  test("has only syntax that Chrome 93 reads, and none of the syntax that Safari 15.4 lacks", async () => {
    const sdk = join(folder, "sdk");
    expect(Bun.spawnSync([process.execPath, "run", "scripts/build-sdk.ts", sdk], { cwd: root }).exitCode).toBe(0);
    for (const page of ["link/main.ts", "inbox/main.ts", "try/main.tsx"]) {
      const built = await Bun.build({
        entrypoints: [join(root, "web", page)],
        target: "browser",
        outdir: join(folder, page),
      });
      expect([page, built.success]).toEqual([page, true]);
    }
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".js"));
    expect(files.length).toBeGreaterThan(6);
    const program = `
      const { readFileSync } = require("fs");
      const { SourceTextModule } = require("vm");
      for (const file of process.argv.slice(1)) {
        try { new SourceTextModule(readFileSync(file, "utf8")); } catch (error) { console.log(file, String(error)); }
      }`;
    // Its V8 is Chrome 93's. A static block, which Safari 15 lacks too, came with Chrome 94.
    const node = await nodeOf("16.9.0");
    const paths = files.map((file) => join(folder, file));
    const control = join(folder, "control.js");
    await Bun.write(control, "class A { static { A.b = 1; } }");
    const command = [node, "--no-warnings", "--experimental-vm-modules", "-e", program, control, ...paths];
    const { stdout, stderr } = Bun.spawnSync(command);
    expect(stderr.toString()).toBe("");
    expect(stdout.toString().trim()).toStartWith(`${control} SyntaxError`);
    expect(stdout.toString().trim().split("\n")).toHaveLength(1);
  }, 120_000);
});

const stage = setUpStage();

describe("a browser without anything younger than the oldest supported one", () => {
  browserTest("signs up, in and out, makes calls, and knows the user after a reload", async () => {
    await using profile = await Profile.create();
    await profile.context.addInitScript(removeAll, YOUNGER);
    const page = await profile.open(stage.site.origin);
    expect(await page.evaluate(() => "timeout" in AbortSignal)).toBe(false);
    const email = await signUp(page);
    await page.reload();
    await becomes(page, "signed-in");
    expect(await userOf(page)).toBe(email);
    const called = await page.evaluate(() => window.sallyport.session.client.auth.session.query());
    expect(called.user.email).toBe(email);
    const aborted = await page.evaluate(() => {
      const controller = new AbortController();
      const call = window.sallyport.session.client.auth.session.query(undefined, { signal: controller.signal });
      controller.abort();
      return call.catch((error) => error.name);
    });
    expect(aborted).toBe("AbortError");
    await page.evaluate(() => window.sallyport.session.signOut());
    expect(await stateOf(page)).toMatchObject({ status: "signed-out", reason: "sign-out" });
    await page.evaluate((input) => window.sallyport.session.signIn(input), { email, password: PASSWORD });
    expect(await stateOf(page)).toMatchObject({ status: "signed-in" });
  });

  browserTest("stops waiting for an appliance that does not answer", async () => {
    await using profile = await Profile.create();
    await profile.context.addInitScript(removeAll, YOUNGER);
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    await profile.context.clock.install();
    const held = Promise.withResolvers<void>();
    stage.instance.before = () => held.promise;
    await page.reload();
    await page.waitForFunction(() => window.sallyport !== undefined);
    await page.clock.runFor(45_000);
    await page.waitForFunction(() => window.sallyport.session.state.error !== null);
    expect(await stateOf(page)).toMatchObject({ status: "loading", error: "unreachable" });
    held.resolve();
    stage.instance.before = () => {};
    await page.clock.runFor(5_000);
    await becomes(page, "signed-in");
  });
});

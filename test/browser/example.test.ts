import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { browserTest, launch } from "./support/chromium.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

/** The example as somebody else's project: the built package, React of its own, nothing of this repository's sources. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const stage = setUpStage();
let project: string;

async function succeed(command: string[], cwd: string): Promise<void> {
  const child = Bun.spawn(command, { cwd, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed:\n${stdout}\n${stderr}`);
}

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "sallyport-example-"));
  await cp(join(root, "test/examples/react-spa"), project, { recursive: true });
  const own = join(project, "node_modules/sallyport");
  await mkdir(own, { recursive: true });
  await cp(join(root, "package.json"), join(own, "package.json"));
  await succeed([process.execPath, "run", "scripts/build-sdk.ts", join(own, "dist/sdk")], root);
  for (const name of ["react", "react-dom", "@types"]) {
    await symlink(join(root, "node_modules", name), join(project, "node_modules", name));
  }
}, 120_000);

afterAll(() => rm(project, { recursive: true, force: true }));

test("the example type-checks", async () => {
  const tsc = join(root, "node_modules/.bin/tsc");
  const options = ["--strict", "--noEmit", "--module", "esnext", "--moduleResolution", "bundler", "--jsx", "react-jsx"];
  const more = ["--target", "esnext", "--lib", "esnext,dom", "--types", "bun", "--skipLibCheck", "--ignoreConfig"];
  await succeed([tsc, ...options, ...more, "main.tsx", "serve.ts"], project);
});

browserTest("the example signs a person up, and its server knows them", async () => {
  const { instance } = stage;
  const env = { ...process.env, SALLYPORT_URL: instance.url, SALLYPORT_APP_ID: instance.applicationId, PORT: "0" };
  const server = Bun.spawn([process.execPath, "serve.ts"], { cwd: project, env, stdout: "pipe", stderr: "inherit" });
  try {
    const { value } = await server.stdout.getReader().read();
    const origin = new TextDecoder().decode(value).trim();
    await instance.change({ origins: [origin] });
    await using context = await (await launch()).newContext();
    const page = await context.newPage();
    await page.goto(origin);
    await page.getByLabel("Email address").fill("example@example.com");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("Hello, example@example.com").waitFor();
    await page.getByRole("button", { name: "Load my notes" }).click();
    await page.waitForFunction(() => document.title.startsWith("Notes of "));
    const { sub } = await page.evaluate(() => ({ sub: document.title.slice("Notes of ".length) }));
    expect(sub).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
  } finally {
    server.kill();
    await server.exited;
  }
});

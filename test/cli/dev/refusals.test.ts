import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ran, sallyport, scratch, tidy } from "../../support/cli.ts";
import { DevRun } from "../../support/dev-run.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

/** Expects one or two sentences on standard error: the reason and the fix. */
function expectRefusal(ran: Ran, says: RegExp): void {
  expect(ran.stderr).toMatch(says);
  expect(ran.code).toBe(1);
  expect(ran.stderr.trim().split("\n")).toHaveLength(1);
  expect(ran.stdout).not.toContain("export ");
}

test("names a port in use, and how to choose another", async () => {
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const ran = await sallyport(["dev", "--port", String(other.port)], { cwd: scratch() });
  const next = Number(other.port) + 1;
  expectRefusal(
    ran,
    new RegExp(`^Port ${other.port} on 127.0.0.1 is taken\\. .* choose another port: --port ${next}\n$`),
  );
});

test("a second start on the same data names the running process, and how to stop it", async () => {
  const cwd = scratch();
  const first = await DevRun.start(cwd);
  const ran = await sallyport(["dev", "--port", "0"], { cwd });
  expectRefusal(
    ran,
    /^`dev` runs on \.\/\.sallyport\/dev already, since \S+Z\. Use it at http:\S+, or stop it first: kill \d+\n$/,
  );
  const [url, stop] = [/Use it at (\S+),/.exec(ran.stderr)?.[1], /kill \d+/.exec(ran.stderr)?.[0]];
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await first.paste(String(stop))).toMatchObject({ code: 0 });
  expect(await first.ended).toBe(0);
  const second = await DevRun.start(cwd);
  await second.stop("SIGKILL");
  const afterCrash = await DevRun.start(cwd);
  await afterCrash.stop();
});

test.each([
  ["below a file", "file/dev", /file is not a directory\. Name another with --data\.\n$/],
  [
    "without write permission",
    "/sys/fs/sallyport/dev",
    /cannot be created \(E\w+\)\. Use --data to name a place that you can write to\.\n$/,
  ],
])("names an unusable data directory %s, and --data", async (_name, data, says) => {
  const cwd = scratch();
  writeFileSync(join(cwd, "file"), "");
  expectRefusal(await sallyport(["dev", "--port", "0", "--data", data], { cwd }), says);
});

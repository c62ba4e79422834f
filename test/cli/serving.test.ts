import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { prepare, sallyport, start, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

test("a second server on the same data names the first one; other commands run beside it", async () => {
  const made = await prepare();
  const first = await start(["serve", "--port", "0"], { env: made.env });
  const second = await sallyport(["serve", "--port", "0"], { env: made.env, cwd: made.directory });
  const [since] = /since \S+Z/.exec(second.stderr) ?? [];
  expect(second).toEqual({
    code: 1,
    stdout: "",
    stderr: `\`serve\` runs on ./data already, ${since}. Use it at ${first.url}, or stop it first: kill ${first.pid}\n`,
  });
  for (const args of [["app", "list"], ["backup", join(made.directory, "copy.db")], ["doctor"]]) {
    const { stderr } = await sallyport(args, { env: made.env });
    expect({ args, stderr }).toEqual({ args, stderr: "" });
  }
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
  expect(statSync(join(made.data, "serving.lock")).mode & 0o777).toBe(0o600);
  expect(await first.stop()).toBe(0);
  const next = await start(["serve", "--port", "0"], { env: made.env });
  expect(await next.stop("SIGKILL")).toBe(-1);
  const afterCrash = await start(["serve", "--port", "0"], { env: made.env });
  expect(await afterCrash.stop()).toBe(0);
});

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { prepare, sallyport, start, tidy } from "../support/cli.ts";
import { damage } from "../support/damage.ts";
import { call, signUp } from "../support/people.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

test("a damaged database is one fatal line, is not ready, and doctor reports it", async () => {
  const made = await prepare();
  const whole = await start(["serve", "--port", "0"], { env: made.env });
  await signUp(whole.url, "ada@example.com");
  expect((await call(whole.url, "/readyz")).status).toBe(200);
  await whole.stop();
  damage(join(made.data, "sallyport.db"));
  const server = await start(["serve", "--port", "0"], { env: made.env });
  const ready = await call(server.url, "/readyz");
  expect([ready.status, ready.body.error?.code]).toEqual([503, "storage_unavailable"]);
  expect((await call(server.url, "/healthz")).status).toBe(200);
  const fatal = server.output().match(/"level":"fatal".*/g);
  expect(fatal).toEqual([expect.stringContaining("The database is damaged")]);
  const report = await sallyport(["doctor", "--json"], { env: made.env });
  expect(report.code).toBe(1);
  expect(report.stdout).toContain("The database is damaged");
  expect(await server.stop()).toBe(0);
});

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { DevRun, directoryInClone, removeDirectoriesInClone } from "../support/dev-run.ts";

setDefaultTimeout(120_000);
afterAll(removeDirectoriesInClone);

test("every command that dev prints begins with the executable as typed, and works when pasted", async () => {
  const run = await DevRun.start(directoryInClone(), { program: ["../dist/sallyport"] });
  const [change = ""] = run.printed("../dist/sallyport app set ");
  expect(await run.paste(change)).toMatchObject({ code: 0 });
  const refused = { method: "OPTIONS", headers: { origin: "https://shop.example.com" } };
  expect((await fetch(`${run.url}/v1/auth/login`, refused)).status).toBe(403);
  await Bun.sleep(100);
  const { mend } = JSON.parse(run.errors.trim().split("\n").at(-1) ?? "{}") as { mend?: string };
  expect(mend).toStartWith("../dist/sallyport app set app_");
  expect(await run.paste(mend ?? "false")).toMatchObject({ code: 0 });
  const help = await run.paste("../dist/sallyport serve --help");
  expect(help.stdout).toContain("master.key ../dist/sallyport serve --data");
  const wrong = await run.paste("../dist/sallyport app set || true");
  expect(wrong.stderr).toContain("`../dist/sallyport app set --help` lists");
  expect(await run.stop()).toBe(0);
});

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { generateMasterKey } from "../../../src/crypto/master-key.ts";
import { prepare, sallyport, scratch, tidy } from "../../support/cli.ts";
import { DevRun, directoryInClone, removeDirectoriesInClone } from "../../support/dev-run.ts";

setDefaultTimeout(120_000);
afterAll(async () => {
  await tidy();
  removeDirectoriesInClone();
});

/** An Express application as in step 3 of the tour. It reads all settings from the environment. */
const EXPRESS = `
import express from "express";
import { requireSession } from ${JSON.stringify(new URL("../../../src/sdk/express/index.ts", import.meta.url).pathname)};
const app = express();
app.get("/me", requireSession(), (request, response) => void response.json({ sub: request.user.sub }));
const server = app.listen(0, async () => {
  const call = await fetch("http://localhost:" + server.address().port + "/me", { headers: { authorization: "Bearer " + process.env.TOKEN } });
  console.log(call.status, await call.text());
  process.exit(0);
});
`;

describe("the lines that dev prints", () => {
  test("work as pasted, twice, and the token of a plain curl opens a route behind requireSession()", async () => {
    const run = await DevRun.start(directoryInClone());
    expect(Object.keys(run.exports())).toEqual([
      "SALLYPORT_URL",
      "SALLYPORT_TENANT_URL",
      "SALLYPORT_APP_ID",
      "SALLYPORT_API_AUDIENCE",
      "SALLYPORT_API_KEY",
    ]);
    const [signUp = "", users = ""] = run.printed("curl ");
    const first = JSON.parse((await run.paste(signUp)).stdout) as { access_token: string; user: { id: string } };
    await Bun.sleep(1_100);
    expect(JSON.parse((await run.paste(signUp)).stdout)).toHaveProperty("access_token");
    expect(JSON.parse((await run.paste(users)).stdout).data).toHaveLength(2);
    const [change = ""] = run.printed("npx sallyport app set ");
    expect(await run.paste(change)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/sign-in +password, passkey, email_code/),
      stderr: "Using the data of `dev` in ./.sallyport/dev, with the key beside it.\n",
    });
    const exported = run.output.split("\n").filter((line) => line.startsWith("  export "));
    writeFileSync(join(run.cwd, "app.ts"), EXPRESS);
    const opened = await run.paste(`${exported.join("\n")}\nTOKEN=${first.access_token} bun app.ts`);
    expect(opened.stdout).toBe(`200 {"sub":"${first.user.id}"}\n`);
    const keys = `curl -s $SALLYPORT_URL/v1/api-keys -H "x-application-id: $SALLYPORT_APP_ID" -H "Authorization: Bearer $SALLYPORT_API_KEY"`;
    expect((await run.paste(`${exported.join("\n")}\n${keys}`)).stdout).toContain('"First key"');
    expect(await run.stop()).toBe(0);
  });

  test("name the data directory if a command would not find it", async () => {
    const cwd = directoryInClone();
    const elsewhere = await DevRun.start(cwd, { args: ["--port", "0", "--data", "my data"] });
    const [change = ""] = elsewhere.printed("npx sallyport app set ");
    expect(change).toContain("--data './my data'");
    expect((await elsewhere.paste(change)).code).toBe(0);
    await elsewhere.stop();
    const beside = await DevRun.start(cwd);
    mkdirSync(join(cwd, "sallyport-data"));
    writeFileSync(join(cwd, "sallyport-data/sallyport.db"), "");
    await beside.stop();
    const again = await DevRun.start(cwd);
    expect(again.printed("npx sallyport app set ")[0]).toContain("--data ./.sallyport/dev");
    await again.stop();
  });

  test("say correctly how to start over", async () => {
    const cwd = directoryInClone();
    const before = await DevRun.start(cwd);
    await before.stop();
    rmSync(join(cwd, ".sallyport/dev"), { recursive: true });
    const after = await DevRun.start(cwd);
    expect(after.exports().SALLYPORT_APP_ID).not.toBe(before.exports().SALLYPORT_APP_ID);
    expect((await after.paste(after.printed("curl ")[1] ?? "")).stdout).toContain('"data":[]');
    await after.stop();
  });
});

describe("the data of dev is found automatically", () => {
  test("by administration commands, but not by serve and init, and never instead of named data", async () => {
    const cwd = scratch();
    const run = await DevRun.start(cwd);
    const id = run.exports().SALLYPORT_APP_ID;
    const list = (env: Record<string, string> = {}, ...args: string[]) =>
      sallyport(["app", "list", ...args], { cwd, env });
    expect((await list()).stdout).toContain("Default");
    for (const args of [
      ["app", "show", String(id)],
      ["keys", "list"],
      ["backup", "copy.db"],
    ]) {
      expect(await sallyport(args, { cwd })).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("./.sallyport/dev"),
      });
    }
    await run.stop();

    expect(await sallyport(["serve", "--port", "0"], { cwd })).toMatchObject({ code: 1, stdout: "" });
    const served = await sallyport(["serve", "--port", "0", "--data", ".sallyport/dev"], { cwd });
    expect(served).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("There is no master key") });
    expect(await sallyport(["init"], { cwd })).toMatchObject({ code: 1, stdout: "" });

    const made = await prepare();
    expect((await list(made.env)).stderr).toBe("");
    const wrong = await list({ SALLYPORT_MASTER_KEY: generateMasterKey() });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("is not a Sallyport data directory") });
    // A key that an operator keeps beside the data does not belong to `dev`.
    const data = join(scratch(), "data");
    await sallyport(["init", "--data", data, "--new-master-key", `${data}.master-key`]);
    expect(existsSync(`${data}.master-key`)).toBeTrue();
    expect(await list({}, "--data", data)).toMatchObject({ code: 1, stdout: "" });
  });
});

describe("dev on more hosts than this machine's", () => {
  test("refuses a tenant host of another machine, and takes one that is a name of this machine", async () => {
    const cwd = directoryInClone();
    for (const hosts of [
      "login.acme.example=acme",
      "acme.localhost=acme,192.0.2.1:8080=acme",
      "localhost.acme.example=a",
    ]) {
      const refused = await sallyport(["dev", "--ephemeral", "--port", "0", "--tenant-hosts", hosts], { cwd });
      expect([hosts, refused.code, refused.stdout]).toEqual([hosts, 1, ""]);
      expect(refused.stderr).toContain("does not serve the tenant host");
    }
    const run = await DevRun.start(cwd, {
      args: ["--ephemeral", "--port", "0", "--tenant-hosts", "acme.localhost=acme"],
    });
    await run.stop();
  });

  test("shows its mails to no caller that reaches it by another address of the machine", async () => {
    const run = await DevRun.start(directoryInClone(), { args: ["--ephemeral", "--port", "0", "--host", "0.0.0.0"] });
    const url = new URL(run.exports().SALLYPORT_URL ?? "");
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, internal }) => family === "IPv4" && !internal)
      .map(({ address }) => address);
    for (const [address, status] of [["127.0.0.1", 200] as const, ...others.map((other) => [other, 403] as const)]) {
      const headers = { host: url.host };
      const answer = await fetch(`http://${address}:${url.port}/dev/inbox.json`, { headers });
      expect([address, answer.status]).toEqual([address, status]);
      expect((await fetch(`http://${address}:${url.port}/healthz`, { headers })).status).toBe(200);
    }
    await run.stop();
  });
});

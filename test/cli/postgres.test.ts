import { afterAll, expect } from "bun:test";
import { join } from "node:path";
import { sallyport, scratch, start, tidy } from "../support/cli.ts";
import { postgresTest } from "../support/databases.ts";
import { eventually } from "../support/eventually.ts";
import { call, signIn, signUp } from "../support/people.ts";
import { startPostgres } from "../support/postgres.ts";

afterAll(tidy);

postgresTest(
  "every command but backup and restore works on PostgreSQL",
  async () => {
    const url = await (await startPostgres()).createDatabase();
    const key = join(scratch(), "master.key");
    const env = { SALLYPORT_DATABASE_URL: url, SALLYPORT_MASTER_KEY_FILE: key };
    const early = await sallyport(["doctor", "--port", "0"], { env: { SALLYPORT_DATABASE_URL: url } });
    expect(early).toMatchObject({ code: 1, stdout: expect.stringContaining("Run `sallyport init`") });
    const init = await sallyport(["init", "--new-master-key", key, "--json"], { env: { SALLYPORT_DATABASE_URL: url } });
    expect(init).toMatchObject({ code: 0, stderr: "" });
    const made = JSON.parse(init.stdout) as Record<string, string>;
    expect(made.data).toBeNull();
    const again = await sallyport(["init"], { env });
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("set up already") });

    const server = await start(["serve", "--port", "0"], { env });
    expect((await signUp(server.url, "ada@example.com")).status).toBe(201);
    expect(await sallyport(["tenant", "create", "acme"], { env })).toMatchObject({ code: 0, stderr: "" });
    await eventually(async () => expect((await signUp(`${server.url}/t/acme`, "ada@example.com")).status).toBe(201));
    const application = made.default_application_id ?? "";
    for (const args of [
      ["tenant", "list"],
      ["app", "list"],
      ["app", "create", "--name", "Shop", "--secret-key"],
      ["app", "show", application],
      ["app", "list", "--database-driver", "pg", "--database-connections", "2"],
      ["tenant", "show", "acme", "--database-driver", "pg"],
      ["app", "set", application, "--sign-up", "closed"],
      ["keys", "rotate", "--now"],
      ["keys", "list"],
      ["doctor", "--port", new URL(server.url).port],
    ]) {
      const ran = await sallyport([...args, "--json"], { env });
      expect({ args, ...ran }).toEqual({ args, code: 0, stderr: "", stdout: expect.any(String) as unknown as string });
      expect(() => JSON.parse(ran.stdout)).not.toThrow();
    }
    await eventually(async () => expect((await signUp(server.url, "eve@example.com")).status).toBe(403));
    expect((await signIn(server.url, "ada@example.com")).status).toBe(200);
    expect((await call(server.url, "/v1/users", { bearer: made.secret_key ?? "" })).status).toBe(200);
    expect(await server.stop()).toBe(0);
  },
  120_000,
);

postgresTest(
  "an unusable PostgreSQL produces a single sentence without the password",
  async () => {
    const url = new URL(await (await startPostgres()).createDatabase());
    const closed = new URL(url);
    closed.port = "1";
    const missing = new URL(url);
    missing.pathname = "/nosuch";
    for (const address of [closed, missing]) {
      address.password = "sesame-open";
      for (const driver of ["bun", "pg"]) {
        const env = {
          SALLYPORT_DATABASE_URL: address.href,
          SALLYPORT_DATABASE_DRIVER: driver,
          SALLYPORT_MASTER_KEY: `v1:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`,
        };
        const ran = await sallyport(["serve", "--port", "0"], { env });
        expect({ driver, code: ran.code, stdout: ran.stdout }).toEqual({ driver, code: 1, stdout: "" });
        expect(ran.stderr).toContain("SALLYPORT_DATABASE_URL");
        expect(ran.stderr).not.toContain("sesame-open");
        expect(ran.stderr.trim().split("\n")).toHaveLength(1);
      }
    }
  },
  120_000,
);

import { afterAll, expect, test } from "bun:test";
import { prepare, sallyport, start, tidy } from "../support/cli.ts";

afterAll(tidy);

test("the command line creates an M2M client, grants its scopes, rotates its secret and uses it", async () => {
  const { env } = await prepare();
  const run = async (...args: string[]) => {
    const done = await sallyport([...args, "--json"], { env });
    if (done.code !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout);
  };
  const { id } = await run("app", "create", "--name", "Worker", "--type", "m2m");
  const first = await run("app", "secret", "create", id);
  const second = await run("app", "secret", "create", id);
  expect(first.client_secret).toStartWith("sally_cs_");
  const third = await sallyport(["app", "secret", "create", id], { env });
  expect(third).toMatchObject({ code: 1, stderr: expect.stringContaining("Revoke one first") });
  const granted = await run("app", "grant", id, "--audience", "management", "--scope", "users:read,users:write");
  expect(granted).toEqual({ data: [{ audience: "management", scopes: ["users:read", "users:write"] }] });
  const wrong = await sallyport(["app", "grant", id, "--audience", "management", "--scope", "forward"], { env });
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("forward") });

  const server = await start(["serve", "--port", "0"], { env });
  const ask = (secret: string) =>
    fetch(`${server.url}/oauth2/token`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: "client_credentials" }),
    });
  expect((await ask(first.client_secret)).status).toBe(200);
  expect((await sallyport(["app", "secret", "revoke", id, first.id], { env })).code).toBe(0);
  expect((await ask(first.client_secret)).status).toBe(401);
  expect((await ask(second.client_secret)).status).toBe(200);
  const listed = await run("app", "secret", "list", id);
  expect(listed.data.map(({ revoked_at }: { revoked_at: string | null }) => revoked_at !== null)).toEqual([
    true,
    false,
  ]);
  expect(JSON.stringify(listed)).not.toContain("sally_cs_");
  await run("app", "grant", id, "--audience", "management", "--remove");
  expect((await ask(second.client_secret)).status).toBe(400);
  await server.stop();
}, 60_000);

test("an impossible command is refused with a sentence", async () => {
  const { env } = await prepare();
  const { id } = JSON.parse((await sallyport(["app", "create", "--name", "Web", "--json"], { env })).stdout);
  const cases: [string[], number, string][] = [
    [["app", "secret", "create", id], 1, "m2m"],
    [["app", "grant", id, "--audience", "management", "--scope", "admin"], 1, "m2m"],
    [["app", "grant", id, "--scope", "admin"], 2, "--audience"],
    [["app", "grant", id, "--audience", "management"], 2, "--scope"],
    [["app", "secret", "revoke", id, "nothing"], 2, "SECRET_ID"],
    [["app", "secret"], 2, "app secret create"],
  ];
  for (const [args, code, text] of cases) {
    expect([args, await sallyport(args, { env })]).toEqual([
      args,
      { code, stdout: "", stderr: expect.stringContaining(text) },
    ]);
  }
}, 60_000);

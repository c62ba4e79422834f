import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { EXECUTABLE, prepare, sallyport, scratch, start, tidy } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { call, jwks, PASSWORD, refresh, session, signIn, signUp } from "../support/people.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

const program = EXECUTABLE;
const serve = (env: Record<string, string>, ...args: string[]) =>
  start(["serve", "--port", "0", ...args], { program, env });

test("the executable shows its version and commit", async () => {
  const ran = await sallyport(["--version"], { program });
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout).toMatch(/^sallyport \d+\.\d+\.\d+ \([0-9a-f]{12}; schema \d+; Bun /);
});

test("dev takes a user from sign-up to a token that a plain JWT library verifies", async () => {
  const server = await start(["dev", "--ephemeral", "--port", "0", "--json"], { program });
  const up = await signUp(server.url, "ada@example.com");
  expect(up.status).toBe(201);
  const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  const audience = `${server.url}/api/${server.ready.default_application_id}`;
  const { payload } = await jwtVerify(up.body.access_token, keys, { issuer: server.url, audience });
  expect(payload).toMatchObject({ sub: up.body.user.id, typ: "access" });
  expect((await session(server.url, up.body.access_token)).status).toBe(200);
  const next = await refresh(server.url, up.body.refresh_token);
  expect(next.status).toBe(200);
  expect((await signIn(server.url, "ada@example.com")).status).toBe(200);
  const users = await call(server.url, "/v1/users", { bearer: String(server.ready.secret_key) });
  expect(users.body.data.map((user) => user.email)).toEqual(["ada@example.com"]);
  expect(await server.stop("SIGINT")).toBe(0);
});

test("the executable neither reads nor runs any file of the current directory", async () => {
  const cwd = scratch();
  writeFileSync(join(cwd, ".env"), "SALLYPORT_PUBLIC_URL=https://evil.example\nSALLYPORT_PORT=1\n");
  writeFileSync(join(cwd, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(cwd, "preload.ts"), 'require("node:fs").writeFileSync("preloaded", "");\n');
  writeFileSync(join(cwd, "package.json"), "{ not json");
  const server = await start(["dev", "--ephemeral", "--port", "0", "--json"], { program, cwd });
  expect((await jwks(server.url)).status).toBe(200);
  expect(await server.stop()).toBe(0);
  expect(existsSync(join(cwd, "preloaded"))).toBe(false);
  expect(readdirSync(cwd).sort()).toEqual([".env", "bunfig.toml", "package.json", "preload.ts"]);
});

test("SIGTERM lets an open request finish, and keeps its write", async () => {
  const made = await prepare({ program });
  const server = await serve(made.env);
  const body = JSON.stringify({ email: "slow@example.com", password: PASSWORD });
  const { hostname, port, host } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const head = [
    "POST /v1/auth/register HTTP/1.1",
    `host: ${host}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    "connection: close",
  ];
  await once(socket, "connect");
  await new Promise((sent) => socket.write(`${head.join("\r\n")}\r\n\r\n${body.slice(0, 10)}`, sent));
  // An idle connection must not delay the stop. After this answer, the earlier request has begun too.
  await jwks(server.url);
  const stopped = server.stop("SIGTERM");
  await eventually(() => expect(server.output()).toContain("Stopping"));
  await eventually(async () => expect(await jwks(server.url).catch(() => "refused")).toBe("refused"));
  socket.write(body.slice(10));
  await closed;
  expect(answer).toStartWith("HTTP/1.1 201");
  expect(await stopped).toBe(0);
  expect(server.output()).toContain("Stopped.");
  expect(readdirSync(made.data).sort()).toEqual(["sallyport.db", "serving.lock"]);
  const again = await serve(made.env);
  expect((await signIn(again.url, "slow@example.com")).status).toBe(200);
  await again.stop();
});

test("SIGTERM lets sign-ups that wait for their hash finish", async () => {
  const made = await prepare({ program });
  const server = await serve({ ...made.env, SALLYPORT_PASSWORD_HASH_SLOTS: "1" });
  const answers = Array.from({ length: 30 }, (_, index) => signUp(server.url, `queued-${index}@example.com`));
  await Promise.race(answers);
  expect(await server.stop()).toBe(0);
  const settled = await Promise.allSettled(answers);
  const acknowledged = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value.status] : []));
  expect(acknowledged.length).toBeGreaterThan(0);
  expect(new Set(acknowledged)).toEqual(new Set([201]));
  const database = new Database(join(made.data, "sallyport.db"), { readonly: true });
  const count = database.query<{ n: number }, []>("SELECT count(*) AS n FROM users").get()?.n;
  database.close();
  expect(count).toBe(acknowledged.length);
});

test("a restart keeps sessions and the counts of failed attempts", async () => {
  const made = await prepare({ program });
  const env = { ...made.env, SALLYPORT_LIMIT_ACCOUNT: "3/1d" };
  const first = await serve(env);
  const { body } = await signUp(first.url, "ada@example.com");
  for (let attempt = 0; attempt < 3; attempt++) {
    expect((await signIn(first.url, "ada@example.com", "wrong password, many words")).status).toBe(401);
  }
  expect((await signIn(first.url, "ada@example.com")).status).toBe(429);
  expect(await first.stop()).toBe(0);
  const second = await serve(env);
  const throttled = await signIn(second.url, "ada@example.com");
  expect(throttled.status).toBe(429);
  expect(Number(throttled.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await refresh(second.url, body.refresh_token)).status).toBe(200);
  await second.stop();
});

test("a backup during sign-ups holds every write acknowledged before it, and only its key opens it", async () => {
  const made = await prepare({ program });
  const server = await serve({
    ...made.env,
    SALLYPORT_LIMIT_SIGN_UP: "100000/1s",
    SALLYPORT_LIMIT_NETWORK: "100000/1s",
  });
  const acknowledged: string[] = [];
  let writing = true;
  const { body } = await signUp(server.url, "first@example.com");
  let token = body.refresh_token;
  const writers = [
    (async () => {
      for (let count = 0; writing; count++) {
        const email = `writer-${count}@example.com`;
        if ((await signUp(server.url, email)).status === 201) acknowledged.push(email);
      }
    })(),
    (async () => {
      while (writing) token = (await refresh(server.url, token)).body.refresh_token;
    })(),
  ];
  await eventually(() => expect(acknowledged.length).toBeGreaterThan(10));
  const before = [...acknowledged];
  const file = join(made.directory, "backup.db");
  const copied = await sallyport(["backup", file], { program, env: made.env });
  expect(copied).toMatchObject({ code: 0, stderr: "" });
  const during = acknowledged.length;
  await eventually(() => expect(acknowledged.length).toBeGreaterThan(during));
  writing = false;
  await Promise.all(writers);
  expect(await server.stop()).toBe(0);

  const data = join(made.directory, "restored");
  const wrong = { SALLYPORT_DATA: data, SALLYPORT_MASTER_KEY: generateMasterKey() };
  const refused = await sallyport(["restore", file], { program, env: wrong });
  expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("does not open") });
  expect(existsSync(data)).toBe(false);
  const env = { ...made.env, SALLYPORT_DATA: data };
  expect(await sallyport(["restore", file], { program, env })).toMatchObject({ code: 0, stderr: "" });
  const restored = await serve({ ...env, SALLYPORT_LIMIT_NETWORK: "100000/1s" });
  for (const email of ["first@example.com", ...before]) {
    expect({ email, status: (await signIn(restored.url, email)).status }).toEqual({ email, status: 200 });
  }
  await restored.stop();
});

test("a failed start prints one sentence on standard error, and changes nothing", async () => {
  const made = await prepare({ program });
  const other = await prepare({ program });
  const server = await serve(made.env);
  const port = new URL(server.url).port;
  const refusals: { args: string[]; env: Record<string, string>; says: string }[] = [
    { args: ["--port", port], env: other.env, says: `Port ${port} on 127.0.0.1 is taken` },
    {
      args: ["--port", "0"],
      env: { SALLYPORT_DATA: other.data, SALLYPORT_MASTER_KEY: generateMasterKey() },
      says: "does not open this data",
    },
    { args: ["--port", "0"], env: { ...other.env, SALLYPORT_DATA: scratch() }, says: "dist/sallyport init --data" },
    { args: ["--port", "0", "--host", "203.0.113.1"], env: other.env, says: "Cannot listen on 203.0.113.1:0" },
    { args: ["--port", "0", "--metrics-port", port], env: other.env, says: `Port ${port} on 127.0.0.1 is taken` },
  ];
  for (const { args, env, says } of refusals) {
    const ran = await sallyport(["serve", ...args], { program, env });
    expect({ args, ...ran }).toEqual({
      args,
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(says) as unknown as string,
    });
    expect(ran.stderr.trim().split("\n")).toHaveLength(1);
  }
  expect((await jwks(server.url)).status).toBe(200);
  expect(await server.stop()).toBe(0);
  const database = new Database(join(made.data, "sallyport.db"));
  database.run("INSERT INTO schema_migrations VALUES (9999, 'later', 'x', 0)");
  database.close();
  const future = await sallyport(["serve", "--port", "0"], { program, env: made.env });
  expect(future).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("has schema 9999") });
});

test("serve warns of unwise exposure", async () => {
  const made = await prepare({ program });
  const server = await serve(made.env, "--host", "0.0.0.0");
  await eventually(() => expect(server.output()).toMatch(/"level":"warn".*Set public_url/));
  await server.stop();
  const proxied = await serve(made.env, "--public-url", "https://login.example.com");
  expect(proxied.output()).toMatch(/"level":"warn".*trusted_proxies/);
  await proxied.stop();
});

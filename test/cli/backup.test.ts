import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { type Prepared, prepare, sallyport, scratch, start, tidy } from "../support/cli.ts";
import { refresh, session, signIn, signUp } from "../support/people.ts";

let made: Prepared;
let file: string;
let tokens: { access_token: string; refresh_token: string };

beforeAll(async () => {
  made = await prepare();
  const server = await start(["serve", "--port", "0"], { env: made.env });
  tokens = (await signUp(server.url, "ada@example.com")).body;
  file = join(made.directory, "backup.db");
  const ran = await sallyport(["backup", file, "--json"], { env: made.env });
  if (ran.code !== 0) throw new Error(ran.stderr);
  await server.stop();
});
setDefaultTimeout(120_000);
afterAll(tidy);

const envFor = (data: string) => ({ ...made.env, SALLYPORT_DATA: data });

test("a backup of a running server is a private file that only the master key opens", async () => {
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const key = readFileSync(made.keyFile, "utf8").trim().slice(3);
  expect(readFileSync(file).includes(key)).toBe(false);
  expect(readFileSync(file).includes(Buffer.from(key, "base64url"))).toBe(false);
  const data = join(scratch(), "restored");
  const wrong = { SALLYPORT_DATA: data, SALLYPORT_MASTER_KEY: generateMasterKey() };
  const refused = await sallyport(["restore", file], { env: wrong });
  expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("does not open this data") });
  expect(() => statSync(data)).toThrow();
});

test("a restored server signs users in and keeps their sessions", async () => {
  const data = join(scratch(), "restored");
  expect(await sallyport(["restore", file], { env: envFor(data) })).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(data)).toEqual(["sallyport.db"]);
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(statSync(join(data, "sallyport.db")).mode & 0o777).toBe(0o600);
  const server = await start(["serve", "--port", "0"], { env: envFor(data) });
  expect((await signIn(server.url, "ada@example.com")).status).toBe(200);
  expect((await refresh(server.url, tokens.refresh_token)).status).toBe(200);
  expect(await server.stop()).toBe(0);
});

test("--end-sessions revives no token or session that was spent or ended after the backup", async () => {
  const data = join(scratch(), "restored");
  const ran = await sallyport(["restore", file, "--end-sessions", "--json"], { env: envFor(data) });
  expect(JSON.parse(ran.stdout)).toMatchObject({ data, sessions_ended: 1 });
  const server = await start(["serve", "--port", "0"], { env: envFor(data) });
  expect((await refresh(server.url, tokens.refresh_token)).status).toBe(401);
  expect((await session(server.url, tokens.access_token)).status).toBe(401);
  expect((await signIn(server.url, "ada@example.com")).status).toBe(200);
  await server.stop();
});

test("neither command overwrites anything", async () => {
  const there = join(scratch(), "there");
  writeFileSync(there, "mine");
  symlinkSync(join(made.directory, "nowhere"), `${there}-link`);
  for (const target of [there, `${there}-link`]) {
    const ran = await sallyport(["backup", target], { env: made.env });
    expect(ran).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("was not changed") });
  }
  expect(readFileSync(there, "utf8")).toBe("mine");
  const before = readFileSync(join(made.data, "sallyport.db"));
  const ran = await sallyport(["restore", file], { env: made.env });
  expect(ran).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("was not changed") });
  expect(readFileSync(join(made.data, "sallyport.db")).equals(before)).toBe(true);
});

/** Returns a copy of the backup, changed by `change`. */
function changed(change: (database: Database) => void): string {
  const copy = join(scratch(), "changed.db");
  cpSync(file, copy);
  const database = new Database(copy);
  change(database);
  database.close();
  return copy;
}

const refusals: { name: string; source: () => string; says: RegExp }[] = [
  { name: "no file", source: () => join(scratch(), "nosuch"), says: /is not a file/ },
  { name: "a directory", source: scratch, says: /is not a file/ },
  {
    name: "a text",
    source: () => {
      const text = join(scratch(), "text");
      writeFileSync(text, "no database at all ".repeat(100));
      return text;
    },
    says: /is not a database, or is damaged/,
  },
  {
    name: "a file that was cut off",
    source: () => {
      const cut = join(scratch(), "cut.db");
      writeFileSync(cut, readFileSync(file).subarray(0, 40_960));
      return cut;
    },
    says: /damaged/,
  },
  {
    name: "bytes that changed",
    source: () => {
      const bytes = readFileSync(file);
      for (let at = 8_192; at < bytes.length; at += 4_096) bytes.fill(0xff, at, at + 64);
      const spoilt = join(scratch(), "spoilt.db");
      writeFileSync(spoilt, bytes);
      return spoilt;
    },
    says: /damaged/,
  },
  { name: "another program's database", source: () => changed(dropAll), says: /not a backup of Sallyport/ },
  {
    name: "a later release's database",
    source: () => changed((database) => database.run("INSERT INTO schema_migrations VALUES (9999, 'later', 'x', 0)")),
    says: /has schema 9999.*later one/,
  },
  {
    name: "a database whose check value is gone",
    source: () => changed((database) => database.run("DELETE FROM instance_settings WHERE name = 'master_key_check'")),
    says: /no check value of a master key/,
  },
  {
    name: "a database with a foreign signing key",
    source: () => changed((database) => database.run("UPDATE signing_keys SET id = id || 'x'")),
    says: /does not open this data/,
  },
  {
    name: "a database in use, copied without its log",
    source: () => {
      const copy = join(scratch(), "live.db");
      cpSync(file, copy);
      writeFileSync(`${copy}-wal`, "log");
      return copy;
    },
    says: /a database in use/,
  },
];

function dropAll(database: Database): void {
  database.run("PRAGMA foreign_keys = OFF");
  const names = database.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of names) if (!name.startsWith("sqlite_")) database.run(`DROP TABLE ${name}`);
}

for (const { name, source, says } of refusals) {
  test(`restore of ${name} is refused and leaves no file`, async () => {
    const data = join(scratch(), "restored");
    const ran = await sallyport(["restore", source()], { env: envFor(data) });
    expect(ran.stderr).toMatch(says);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 1, stdout: "" });
    expect(() => statSync(data)).toThrow();
  });
}

test("restore keeps a configuration file in the directory", async () => {
  const data = join(scratch(), "restored");
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(data, "sallyport.toml"), "port = 0\n");
  expect(await sallyport(["restore", file], { env: envFor(data) })).toMatchObject({ code: 0 });
  expect(readdirSync(data).sort()).toEqual(["sallyport.db", "sallyport.toml"]);
});

test("backup needs no master key, but it needs a data directory", async () => {
  const target = join(scratch(), "copy.db");
  const env = { SALLYPORT_DATA: made.data };
  expect(await sallyport(["backup", target], { env })).toMatchObject({ code: 0 });
  const nowhere = await sallyport(["backup", `${target}2`], { env: { SALLYPORT_DATA: scratch() } });
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining("is not a Sallyport data directory") });
  const missing = await sallyport(["backup", join(target, "x")], { env });
  expect(missing).toMatchObject({ code: 1, stdout: "" });
});

test("with PostgreSQL, backup and restore name its own tools", async () => {
  const env = { ...made.env, SALLYPORT_DATABASE_URL: "postgres://localhost/sallyport" };
  expect(await sallyport(["backup", "x"], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("pg_dump"),
  });
  expect(await sallyport(["restore", "x"], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("pg_restore"),
  });
});

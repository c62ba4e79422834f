import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "../../src/core/ids.ts";
import { generateMasterKey, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { type Prepared, prepare, SOURCE, sallyport, start, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

const KEYS = 3_000;

/** Gives the instance many sealed keys. */
function fill({ data, keyFile }: Prepared): void {
  const master = parseMasterKeys(readFileSync(keyFile, "utf8"));
  const database = new Database(join(data, "sallyport.db"));
  const row = database.query("SELECT * FROM api_keys LIMIT 1").get() as Record<string, unknown>;
  const columns = Object.keys(row);
  const insert = database.query(`INSERT INTO api_keys (${columns}) VALUES (${columns.map(() => "?")})`);
  database.transaction(() => {
    for (let made = 0; made < KEYS; made++) {
      const id = newId(Date.now());
      const sealed = master.seal(Buffer.from("a secret"), { keyId: id, purpose: "api-key:signing" });
      const changed: Record<string, unknown> = {
        ...row,
        id,
        kind: "signing",
        secret_digest: null,
        sealed_secret: sealed,
      };
      insert.run(...(columns.map((column) => changed[column]) as string[]));
    }
  })();
  database.close();
}

const masterKeyFindings = async (env: Record<string, string>) => {
  const { stdout } = await sallyport(["doctor", "--json"], { env });
  const { findings } = JSON.parse(stdout) as { findings: { check: string; level: string; message: string }[] };
  return findings.filter(({ check }) => check === "master key");
};

test("a new master key takes over beside a running server, also after kill -9, and then the old one may go", async () => {
  const made = await prepare();
  const { env, keyFile, secretKey } = made;
  fill(made);
  const second = generateMasterKey(2);
  appendFileSync(keyFile, `${second}\n`);
  const server = await start(["serve", "--port", "0"], { env });
  const list = (url: string) => fetch(`${url}/v1/users`, { headers: { authorization: `Bearer ${secretKey}` } });

  const child = Bun.spawn([...SOURCE, "keys", "reseal"], {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const first = await child.stderr.getReader().read();
  expect(new TextDecoder().decode(first.value)).toMatch(/^\d+ sealed again/);
  child.kill("SIGKILL");
  await child.exited;
  const [left] = await masterKeyFindings(env);
  expect(left).toMatchObject({
    level: "warning",
    message: expect.stringMatching(/^[1-9]\d* seals are of an older version/),
  });
  expect((await list(server.url)).status).toBe(200);

  const done = await sallyport(["keys", "reseal", "--json"], { env });
  const { version, resealed } = JSON.parse(done.stdout);
  expect([done.code, version]).toEqual([0, 2]);
  expect(resealed).toBeWithin(1, KEYS);
  expect(done.stderr).toContain(`${resealed - 1} sealed again`);
  expect(await masterKeyFindings(env)).toMatchObject([{ level: "ok" }]);
  expect((await list(server.url)).status).toBe(200);
  await server.stop();

  writeFileSync(keyFile, `${second}\n`);
  const later = await start(["serve", "--port", "0"], { env });
  expect((await list(later.url)).status).toBe(200);
  await later.stop();
});

test("without the old key nothing is sealed again, and the message names the missing version", async () => {
  const { env, keyFile } = await prepare();
  writeFileSync(keyFile, `${generateMasterKey(2)}\n`);
  const { code, stderr } = await sallyport(["keys", "reseal"], { env });
  expect([code, stderr]).toEqual([1, expect.stringContaining("The master key does not open this data")]);
});

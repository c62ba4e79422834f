import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { prepare, sallyport, scratch, start, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

test("init creates a private directory and a private key outside it, and shows its ids and secret", async () => {
  const made = await prepare();
  expect(statSync(made.data).mode & 0o777).toBe(0o700);
  expect(statSync(join(made.data, "sallyport.db")).mode & 0o777).toBe(0o600);
  expect(statSync(made.keyFile).mode & 0o777).toBe(0o600);
  expect(made.secretKey).toStartWith("sally_sk_");
  expect(readdirSync(made.data)).toEqual(["sallyport.db"]);
  const again = await sallyport(["init"], { env: { SALLYPORT_DATA: made.data } });
  expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("Nothing was changed") });
});

test("init continues with the database of an interrupted init", async () => {
  const directory = scratch();
  mkdirSync(join(directory, "data"));
  writeFileSync(join(directory, "data/sallyport.db"), "");
  const env = { SALLYPORT_MASTER_KEY: generateMasterKey(), SALLYPORT_DATA: join(directory, "data") };
  const before = await sallyport(["serve"], { env });
  expect(before).toMatchObject({ code: 1, stderr: expect.stringContaining("Run `sallyport init` first") });
  expect(await sallyport(["init"], { env })).toMatchObject({ code: 0 });
});

interface Refusal {
  name: string;
  /** @returns the arguments and the environment */
  given(directory: string): { args: string[]; env?: Record<string, string> };
  says: RegExp;
  /** The files that may remain in the directory. */
  leaves: string[];
}

const key = (directory: string) => ["--new-master-key", join(directory, "key")];
const refusals: Refusal[] = [
  {
    name: "without a master key",
    given: (directory) => ({ args: ["--data", join(directory, "data")] }),
    says: /--new-master-key/,
    leaves: [],
  },
  {
    name: "with the key inside the data directory",
    given: (directory) => ({
      args: ["--data", join(directory, "data"), "--new-master-key", join(directory, "data/key")],
    }),
    says: /must not lie in the data directory/,
    leaves: [],
  },
  {
    name: "with the key inside the data directory, through a link",
    given: (directory) => {
      mkdirSync(join(directory, "data"));
      symlinkSync(join(directory, "data"), join(directory, "link"));
      return { args: ["--data", join(directory, "data"), "--new-master-key", join(directory, "link/key")] };
    },
    says: /must not lie in the data directory/,
    leaves: ["data", "link"],
  },
  {
    name: "with an existing key file inside the data directory, through a link",
    given: (directory) => {
      mkdirSync(join(directory, "data"));
      writeFileSync(join(directory, "data/key"), generateMasterKey());
      symlinkSync(join(directory, "data/key"), join(directory, "link"));
      const env = { SALLYPORT_MASTER_KEY_FILE: join(directory, "link") };
      return { args: ["--data", join(directory, "data")], env };
    },
    says: /lies in the data directory/,
    leaves: ["data", "link"],
  },
  {
    name: "with an existing key file",
    given: (directory) => {
      writeFileSync(join(directory, "key"), "mine");
      return { args: ["--data", join(directory, "data"), ...key(directory)] };
    },
    says: /exists already; to use it, set SALLYPORT_MASTER_KEY_FILE/,
    leaves: ["key"],
  },
  {
    name: "with a dangling link as key file",
    given: (directory) => {
      symlinkSync(join(directory, "elsewhere"), join(directory, "key"));
      return { args: ["--data", join(directory, "data"), ...key(directory)] };
    },
    says: /exists already/,
    leaves: ["key"],
  },
  {
    name: "with two master keys",
    given: (directory) => ({
      args: ["--data", join(directory, "data"), ...key(directory)],
      env: { SALLYPORT_MASTER_KEY: generateMasterKey() },
    }),
    says: /environment already holds a master key/,
    leaves: [],
  },
  {
    name: "below a file",
    given: (directory) => {
      writeFileSync(join(directory, "file"), "");
      return { args: ["--data", join(directory, "file/data"), ...key(directory)] };
    },
    says: /is not a directory/,
    leaves: ["file"],
  },
  {
    name: "over a file of another program",
    given: (directory) => {
      mkdirSync(join(directory, "data"));
      writeFileSync(join(directory, "data/sallyport.db"), "not a database, but a long enough text. ".repeat(50));
      return { args: ["--data", join(directory, "data"), ...key(directory)] };
    },
    says: /is not a database/,
    leaves: ["data"],
  },
];

for (const { name, given, says, leaves } of refusals) {
  test(`init ${name} is refused and leaves no file`, async () => {
    const directory = scratch();
    const { args, env } = given(directory);
    const ran = await sallyport(["init", ...args], { ...(env ? { env } : {}) });
    expect(ran.stderr).toMatch(says);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 1, stdout: "" });
    expect(readdirSync(directory).sort()).toEqual(leaves);
    if (existsSync(join(directory, "data"))) {
      expect(readdirSync(join(directory, "data")).filter((file) => file.includes("-"))).toEqual([]);
    }
  });
}

test("init warns of a data directory that other users can enter, and works", async () => {
  const { data, env } = await prepare();
  chmodSync(data, 0o755);
  const ran = await sallyport(["app", "list"], { env });
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining(`chmod 700 ${data}`) });
});

test("every command that opens the data refuses the wrong master key", async () => {
  const { env } = await prepare();
  const wrong = { SALLYPORT_DATA: env.SALLYPORT_DATA ?? "", SALLYPORT_MASTER_KEY: generateMasterKey() };
  for (const args of [
    ["serve", "--port", "0"],
    ["app", "list"],
    ["keys", "rotate"],
  ]) {
    const ran = await sallyport(args, { env: wrong });
    expect(ran).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("does not open this data") });
  }
});

test("dev creates new credentials if their file is lost, but refuses to replace a lost key", async () => {
  const directory = scratch();

  const args = ["dev", "--data", join(directory, "dev"), "--port", "0", "--json"];
  const first = await start(args);
  expect(await first.stop()).toBe(0);
  writeFileSync(join(directory, "dev.credentials.json"), "{");
  const second = await start(args);
  expect(second.ready.application_id).toBe(first.ready.application_id as string);
  expect(second.ready.secret_key).not.toBe(first.ready.secret_key as string);
  const users = (running: typeof second) =>
    fetch(`${running.url}/v1/users`, { headers: { authorization: `Bearer ${running.ready.secret_key}` } });
  expect((await users(second)).status).toBe(200);
  expect(await second.stop()).toBe(0);
  expect(JSON.parse(readFileSync(join(directory, "dev.credentials.json"), "utf8")).secretKey).toBe(
    second.ready.secret_key,
  );
  writeFileSync(join(directory, "dev.master-key"), "no key");
  expect(await sallyport(args)).toMatchObject({ code: 1, stderr: expect.stringContaining("dev.master-key") });
});

test("dev refuses a public address and PostgreSQL", async () => {
  for (const env of [
    { SALLYPORT_PUBLIC_URL: "https://login.example.com" },
    { SALLYPORT_DATABASE_URL: "postgres://localhost/x" },
  ]) {
    const ran = await sallyport(["dev", "--ephemeral", "--port", "0"], { env });
    expect(ran).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("`sallyport serve`") });
  }
});

test("the last line of init starts the server as it stands, with odd paths and every flag and variable", async () => {
  const directory = join(scratch(), "it's a path");
  mkdirSync(join(directory, "bin"), { recursive: true });
  const main = join(import.meta.dir, "../../src/main.ts");
  writeFileSync(join(directory, "bin/sallyport"), `#!/bin/sh\nexec "${process.execPath}" run "${main}" "$@"\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${join(directory, "bin")}:${process.env.PATH}` };
  const [data, keyFile, config] = ["the data", "master key", "my.toml"].map((name) => join(directory, name));
  writeFileSync(config ?? "", "hsts = 'off'\n");
  const url = "http://localhost:9";
  const flags = [
    "--data",
    data ?? "",
    "--new-master-key",
    keyFile ?? "",
    "--config",
    config ?? "",
    "--public-url",
    url,
  ];
  const made = await sallyport(["init", ...flags, "--port", "0", "--log-level", "info"], { env });
  expect([made.code, made.stderr]).toEqual([0, ""]);
  const line = made.stdout.trim().split("\n").at(-1) ?? "";
  expect(line).toContain("--log-level info");
  const server = await start([], {
    program: ["sh", "-c", line.replace("sallyport serve", "exec sallyport serve")],
    env,
  });
  expect(server.ready.public_url).toBe(url);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(await server.stop()).toBe(0);
});

test("the last line of init names a secret of the environment and does not show it", async () => {
  const key = generateMasterKey();
  const env = { SALLYPORT_MASTER_KEY: key, SALLYPORT_DATA: join(scratch(), "data") };
  const made = await sallyport(["init"], { env });
  expect(made.stdout.trim().split("\n").at(-1)).toStartWith(
    'SALLYPORT_MASTER_KEY="$SALLYPORT_MASTER_KEY" sallyport serve',
  );
  expect(made.stdout).not.toContain(key);
});

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sallyport, scratch, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

/** Common first tries and mistakes, with the exit code and the text on each stream. */
const table: { args: string[]; code: number; stdout?: RegExp; stderr?: RegExp }[] = [
  { args: [], code: 0, stdout: /app create/ },
  { args: ["--help"], code: 0, stdout: /doctor/ },
  { args: ["-h"], code: 0, stdout: /doctor/ },
  { args: ["help", "app", "set"], code: 0, stdout: /sallyport app set ID/ },
  { args: ["app", "--help"], code: 0, stdout: /app show ID/ },
  { args: ["--version"], code: 0, stdout: /^sallyport \d+\.\d+\.\d+ / },
  { args: ["version", "--json"], code: 0, stdout: /"schema_version":\d+/ },
  { args: ["nosuch"], code: 2, stderr: /no command `nosuch`[\s\S]*serve/ },
  { args: ["app"], code: 2, stderr: /no command `app`[\s\S]*app create/ },
  { args: ["app", "nosuch"], code: 2, stderr: /no command `app nosuch`/ },
  { args: ["serve", "--nosuch"], code: 2, stderr: /--nosuch.*`sallyport serve --help`/ },
  { args: ["serve", "extra"], code: 2, stderr: /does not take extra/ },
  { args: ["serve", "--port"], code: 2, stderr: /--port/ },
  { args: ["app", "show"], code: 2, stderr: /needs ID/ },
  { args: ["backup"], code: 2, stderr: /needs FILE/ },
  { args: ["backup", "a", "b"], code: 2, stderr: /does not take b/ },
  { args: ["serve", "--data", ""], code: 2, stderr: /--data needs a value/ },
  { args: ["serve", "--master-key", "v1:x"], code: 2, stderr: /SALLYPORT_MASTER_KEY_FILE/ },
  { args: ["serve", "--database-url=postgres://u:p@localhost/d"], code: 2, stderr: /SALLYPORT_DATABASE_URL_FILE/ },
  { args: ["app", "create"], code: 2, stderr: /--name/ },
  { args: ["app", "create", "--name", "a", "--access-token-ttl", "soon"], code: 2, stderr: /such as 15m/ },
  { args: ["app", "set", "x"], code: 2, stderr: /at least one setting/ },
  { args: ["app", "set", "x", "--enable", "--disable"], code: 2, stderr: /not both/ },
  { args: ["app", "set", "x", "--origin", "a", "--add-origin", "b"], code: 2, stderr: /Use only one kind/ },
  { args: ["keys", "rotate", "--algorithm", "HS256"], code: 2, stderr: /EdDSA, RS256, ES256/ },
];

for (const { args, code, stdout, stderr } of table) {
  test(`sallyport ${args.join(" ")}: ${code}`, async () => {
    const ran = await sallyport(args);
    expect({ code: ran.code, stdout: ran.stdout, stderr: ran.stderr }).toEqual({
      code,
      stdout: stdout ? expect.stringMatching(stdout) : "",
      stderr: stderr ? expect.stringMatching(stderr) : "",
    });
  });
}

test("every command has a help text with its flags", async () => {
  const { stdout } = await sallyport([]);
  const names = [...stdout.matchAll(/^ {2}([a-z]+(?: [a-z]+)?)(?: [A-Z]+)? {2}/gm)].map((match) => match[1] ?? "");
  expect(names).toContain("keys rotate");
  expect(names.length).toBeGreaterThan(14);
  for (const name of names) {
    const help = await sallyport([...name.split(" "), "--help"]);
    expect({ name, code: help.code }).toEqual({ name, code: 0 });
    expect(help.stdout).toStartWith(`sallyport ${name}`);
  }
});

/** Invalid settings. The sentence names the setting and its valid values. */
const settings: { name: string; env?: Record<string, string>; file?: string; args?: string[]; says: RegExp }[] = [
  {
    name: "a path in public_url",
    env: { SALLYPORT_PUBLIC_URL: "https://a.example/auth" },
    says: /has the path \/auth, and Sallyport needs a host of its own without a path/,
  },
  { name: "public_url without a scheme", env: { SALLYPORT_PUBLIC_URL: "a.example" }, says: /must be an origin/ },
  { name: "a port above the range", args: ["--port", "70000"], says: /--port.*0 to 65535/ },
  {
    name: "a proxy that is not an address",
    env: { SALLYPORT_TRUSTED_PROXIES: "10.0.0.0/8,proxy" },
    says: /proxy is not an IP address/,
  },
  {
    name: "an invalid limit",
    env: { SALLYPORT_LIMIT_SIGN_UP: "many" },
    says: /SALLYPORT_LIMIT_SIGN_UP.*such as 10/,
  },
  {
    name: "an unknown key in the file",
    file: "publik_url = 'x'",
    says: /unknown key: publik_url\. Did you mean public_url/,
  },
  { name: "a file that is not TOML", file: "port = = 1", says: /is not valid TOML/ },
  { name: "the master key in the file", file: "master_key = 'v1:x'", says: /SALLYPORT_MASTER_KEY_FILE/ },
  { name: "a missing file", args: ["--config", "/nonexistent/a.toml"], says: /cannot be read \(ENOENT\)/ },
  { name: "a missing key file", env: { SALLYPORT_MASTER_KEY_FILE: "/nonexistent" }, says: /cannot be read/ },
  { name: "an invalid key", env: { SALLYPORT_MASTER_KEY: "secret" }, says: /init --new-master-key FILE/ },
  { name: "no key", says: /There is no master key.*--new-master-key/ },
];

for (const { name, env, file, args = [], says } of settings) {
  test(`serve with ${name} says what to do and leaves no file`, async () => {
    const data = join(scratch(), "data");
    if (file !== undefined) {
      mkdirSync(data);
      writeFileSync(join(data, "sallyport.toml"), file);
    }
    const ran = await sallyport(["serve", "--data", data, ...args], { ...(env ? { env } : {}) });
    expect(ran.stderr).toMatch(says);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
    expect({ code: ran.code, stdout: ran.stdout }).toEqual({ code: 1, stdout: "" });
  });
}

test("every command refuses a public URL with a path, by one sentence", async () => {
  const env = { SALLYPORT_PUBLIC_URL: "https://a.example/auth/" };
  for (const command of [
    ["init"],
    ["serve"],
    ["dev", "--ephemeral"],
    ["app", "list"],
    ["tenant", "list"],
    ["doctor"],
  ]) {
    const ran = await sallyport([...command, "--data", join(scratch(), "data")], { env });
    const said = `${ran.stdout}${ran.stderr}`;
    expect([command, ran.code]).toEqual([command, 1]);
    expect(said).toContain(
      "SALLYPORT_PUBLIC_URL is not valid: has the path /auth/, and Sallyport needs a host of its own",
    );
  }
});

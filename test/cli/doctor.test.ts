import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateMasterKey } from "../../src/crypto/master-key.ts";
import { type Prepared, prepare, type Running, sallyport, scratch, start, tidy } from "../support/cli.ts";

let made: Prepared;
let server: Running;
let port: string;

beforeAll(async () => {
  made = await prepare();
  server = await start(["serve", "--port", "0"], { env: made.env });
  port = new URL(server.url).port;
});
setDefaultTimeout(120_000);
afterAll(tidy);

interface Report {
  code: number;
  ok: boolean;
  findings: { check: string; level: string; message: string; fix: string | null }[];
}

async function doctor(env: Record<string, string>, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await sallyport(["doctor", "--json", ...args], { env });
  if (stdout === "") throw new Error(stderr);
  return { code, ...(JSON.parse(stdout) as Omit<Report, "code">) };
}

const found = (report: Report, check: string) => report.findings.filter((finding) => finding.check === check);

test("a healthy running instance has no error, and doctor lists every check", async () => {
  const report = await doctor(made.env, "--port", port, "--public-url", `http://localhost:${port}`);
  // It has no mail server and no backup, which doctor reports; other tests have both.
  expect(report.findings.filter(({ level }) => level !== "ok").map(({ check }) => check)).toEqual([
    "backup",
    "mail server",
  ]);
  expect(report).toMatchObject({ code: 0, ok: true });
  expect(found(report, "port")[0]?.message).toContain("This instance answers");
  expect(found(report, "public URL")[0]?.message).toContain("leads to this instance");
  const checks = [
    "settings",
    "data directory",
    "disk",
    "database",
    "master key",
    "backup",
    "clock",
    "port",
    "public URL",
    "server",
    "writes",
    "descriptors",
    "client address",
    "event stream",
    "mail server",
  ];
  expect([...new Set(report.findings.map(({ check }) => check))]).toEqual(checks);
  const text = await sallyport(["doctor", "--port", port], { env: made.env });
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(/^ok +master key/m);
  expect(text.stdout).toMatch(/^warning +public URL.*\n +-> Set public_url/m);
});

/** Returns the environment for a copy of the data directory, changed by `change`. */
function variant(change?: (database: Database) => void): Record<string, string> {
  const data = join(scratch(), "data");
  cpSync(made.data, data, { recursive: true });
  chmodSync(data, 0o700);
  if (change) {
    const database = new Database(join(data, "sallyport.db"));
    change(database);
    database.close();
  }
  return { ...made.env, SALLYPORT_DATA: data };
}

const troubles: {
  name: string;
  env: () => Record<string, string>;
  args?: () => string[];
  finding: { check: string; level: "warning" | "error"; message: RegExp; fix: RegExp };
}[] = [
  {
    name: "no data directory",
    env: () => ({ ...made.env, SALLYPORT_DATA: scratch() }),
    finding: { check: "data directory", level: "error", message: /is not a Sallyport/, fix: /sallyport init/ },
  },
  {
    name: "a directory that other users can enter",
    env: () => {
      const env = variant();
      chmodSync(env.SALLYPORT_DATA ?? "", 0o755);
      return env;
    },
    finding: { check: "data directory", level: "warning", message: /open to others/, fix: /chmod 700/ },
  },
  {
    name: "a database that other users can read",
    env: () => {
      const env = variant();
      chmodSync(join(env.SALLYPORT_DATA ?? "", "sallyport.db"), 0o644);
      return env;
    },
    finding: { check: "data directory", level: "warning", message: /Other users can read/, fix: /chmod 600/ },
  },
  {
    name: "no master key",
    env: () => ({ SALLYPORT_DATA: made.data }),
    finding: { check: "master key", level: "error", message: /There is no master key/, fix: /serve/ },
  },
  {
    name: "the wrong master key",
    env: () => ({ SALLYPORT_DATA: made.data, SALLYPORT_MASTER_KEY: generateMasterKey() }),
    finding: { check: "master key", level: "error", message: /does not open/, fix: /init/ },
  },
  {
    name: "the database of a later release",
    env: () => variant((database) => database.run("INSERT INTO schema_migrations VALUES (9999, 'x', 'x', 0)")),
    finding: { check: "database", level: "error", message: /schema 9999/, fix: /release that wrote it/ },
  },
  {
    name: "a file that is not a database",
    env: () => {
      const env = variant();
      writeFileSync(join(env.SALLYPORT_DATA ?? "", "sallyport.db"), "text ".repeat(1_000));
      return env;
    },
    finding: { check: "database", level: "error", message: /is not a database/, fix: /restore/ },
  },
  {
    name: "a clock behind the data",
    env: () => variant((database) => database.run("UPDATE audit_entries SET occurred_at = occurred_at + 3600000")),
    finding: { check: "clock", level: "error", message: /an entry was written at/, fix: /NTP/ },
  },
  {
    name: "a setting that cannot work",
    env: () => ({ ...made.env, SALLYPORT_LIMIT_SIGN_UP: "none" }),
    finding: { check: "settings", level: "error", message: /SALLYPORT_LIMIT_SIGN_UP/, fix: /Fix/ },
  },
  {
    name: "a misspelt variable",
    env: () => ({ ...made.env, SALLYPORT_PUBLICURL: "https://a.example" }),
    finding: { check: "settings", level: "warning", message: /SALLYPORT_PUBLICURL/, fix: /Unset/ },
  },
  {
    name: "https without a trusted proxy",
    env: () => made.env,
    args: () => ["--public-url", "https://localhost:1"],
    finding: { check: "exposure", level: "warning", message: /share one rate limit/, fix: /trusted_proxies/ },
  },
  {
    name: "a tenant host without the port of the public URL",
    env: () => made.env,
    args: () => ["--public-url", "https://localhost:1", "--tenant-hosts", "login.acme.example=acme"],
    finding: {
      check: "exposure",
      level: "warning",
      message: /login\.acme\.example:1 are refused/,
      fix: /Write login\.acme\.example:1 in tenant_hosts/,
    },
  },
  {
    name: "an open address without a public URL",
    env: () => made.env,
    args: () => ["--host", "0.0.0.0"],
    finding: { check: "exposure", level: "warning", message: /listens on 0\.0\.0\.0/, fix: /public_url/ },
  },
];

for (const { name, env, args, finding } of troubles) {
  test(`reports ${name}, with the fix`, async () => {
    const report = await doctor(env(), "--port", port, ...(args?.() ?? []));
    expect(found(report, finding.check)).toContainEqual({
      check: finding.check,
      level: finding.level,
      message: expect.stringMatching(finding.message) as unknown as string,
      fix: expect.stringMatching(finding.fix) as unknown as string,
    });
    if (finding.level === "error") expect(report).toMatchObject({ code: 1, ok: false });
  });
}

test("an unreachable public URL is an error while the server runs, and doctor notices a changed one", async () => {
  const env = variant();
  const moved = await start(["serve", "--port", "0", "--public-url", "http://localhost:1"], { env });
  const at = new URL(moved.url).port;
  const nowhere = await doctor(env, "--port", at, "--public-url", "http://localhost:1");
  expect(found(nowhere, "public URL")[0]).toMatchObject({
    level: "error",
    message: expect.stringContaining("cannot reach"),
  });
  const changed = await doctor(env, "--port", at, "--public-url", "http://localhost:2");
  expect(found(changed, "port")[0]).toMatchObject({ level: "warning", fix: expect.stringContaining("Restart") });
  expect(await moved.stop()).toBe(0);
});

test("doctor detects another program on the port or at the public URL", async () => {
  const web = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
  const proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    // A proxy that replaces the Host header with its own name.
    fetch: (request) => fetch(`${server.url}${new URL(request.url).pathname}`, { headers: { host: "backend" } }),
  });
  const other = await start(["dev", "--ephemeral", "--port", "0", "--json"]);
  try {
    const foreign = await doctor(made.env, "--port", `${web.port}`, "--public-url", `http://localhost:${web.port}`);
    expect(found(foreign, "port")[0]).toMatchObject({
      level: "error",
      message: expect.stringContaining("Another program"),
    });
    expect(found(foreign, "public URL")[0]).toMatchObject({ level: "error" });
    const stranger = await doctor(made.env, "--port", new URL(other.url).port, "--public-url", other.url);
    expect(found(stranger, "port")[0]).toMatchObject({ level: "error", message: expect.stringContaining("instance") });
    expect(found(stranger, "public URL")[0]?.message).toContain("other keys");
    const renamed = await doctor(made.env, "--port", port, "--public-url", `http://localhost:${proxy.port}`);
    expect(found(renamed, "public URL")[0]).toMatchObject({
      level: "error",
      fix: expect.stringContaining("Host header"),
    });
  } finally {
    await Promise.all([web.stop(true), proxy.stop(true), other.stop()]);
  }
});

test("warns of pages on another site than the public URL, whose browsers send no cookies", async () => {
  const env = variant((database) => {
    database.run("UPDATE applications SET origins = ?", [
      JSON.stringify(["https://app.example.com", "https://app.example.net", "http://app.example.com"]),
    ]);
  });
  const [told] = found(await doctor(env, "--port", "0", "--public-url", "https://login.example.com"), "origins");
  expect(told).toMatchObject({
    level: "warning",
    fix: expect.stringContaining("Browsers send no cookies across sites"),
  });
  expect(told?.message).toContain("https://app.example.net, http://app.example.com are");
});

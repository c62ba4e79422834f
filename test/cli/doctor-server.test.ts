import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generateMasterKey, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { REPORT_PATH, reportToken } from "../../src/http/self-report.ts";
import { type Prepared, prepare, type Running, sallyport, start, tidy } from "../support/cli.ts";

let made: Prepared;
let server: Running;
let port: string;

setDefaultTimeout(120_000);
afterAll(tidy);
beforeAll(async () => {
  made = await prepare();
  server = await start(["serve", "--port", "0", "--trusted-proxies", "192.0.2.1"], { env: made.env });
  port = new URL(server.url).port;
});

interface Finding {
  check: string;
  level: string;
  message: string;
  fix: string | null;
}

async function doctor(...args: string[]): Promise<Finding[]> {
  const { stdout, stderr } = await sallyport(["doctor", "--json", ...args], { env: made.env });
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

const find = (findings: Finding[], check: string) => findings.filter((finding) => finding.check === check);

test("doctor asks the running server for its settings, and for a write, its descriptors and its event stream", async () => {
  const same = await doctor(
    "--port",
    port,
    "--trusted-proxies",
    "192.0.2.1",
    "--public-url",
    `http://localhost:${port}`,
  );
  for (const check of ["server", "writes", "descriptors", "client address", "event stream"]) {
    expect([check, find(same, check).map(({ level }) => level)]).toEqual([check, ["ok"]]);
  }
  expect(find(same, "client address")[0]?.message).toContain("sees this machine as 127.0.0.1");
  const other = await doctor("--port", port, "--trusted-proxies", "192.0.2.2", "--hsts", "off");
  expect(find(other, "server")).toEqual([
    {
      check: "server",
      level: "warning",
      message: expect.stringContaining(
        'trusted_proxies is ["192.0.2.1"], here ["192.0.2.2"]; hsts is host, here off',
      ) as never,
      fix: expect.stringContaining("Restart the server") as never,
    },
  ]);
});

test("doctor says which proxy is not trusted, and that a proxy holds back the event stream", async () => {
  const untrusted = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response(null, { status: 500 }) });
  const publicUrl = `http://localhost:${untrusted.port}`;
  const behind = await start(["serve", "--port", "0", "--public-url", publicUrl], { env: (await prepareAgain()).env });
  untrusted.reload({
    fetch: async (request) => {
      const { pathname, host } = new URL(request.url);
      // Reads the whole answer before it sends any of it.
      if (pathname.endsWith("/stream")) return Bun.sleep(20_000).then(() => new Response("late"));
      const headers = new Headers(request.headers);
      headers.set("host", host);
      headers.set("x-forwarded-for", "203.0.113.9");
      return fetch(`${behind.url}${pathname}`, { headers });
    },
  });
  const findings = await doctorOf(again, "--port", new URL(behind.url).port, "--public-url", publicUrl);
  expect(find(findings, "client address")[0]).toMatchObject({
    level: "warning",
    message: expect.stringContaining("A proxy at 127.0.0.1 is not trusted") as unknown,
    fix: "Add 127.0.0.1 to trusted_proxies.",
  });
  expect(find(findings, "event stream")[0]).toMatchObject({
    level: "warning",
    fix: expect.stringContaining("proxy_buffering off") as unknown,
  });
  await untrusted.stop(true);
  await behind.stop();
});

let again: Prepared;
async function prepareAgain(): Promise<Prepared> {
  again = await prepare();
  return again;
}

async function doctorOf(of: Prepared, ...args: string[]): Promise<Finding[]> {
  const { stdout } = await sallyport(["doctor", "--json", ...args], { env: of.env });
  return (JSON.parse(stdout) as { findings: Finding[] }).findings;
}

test("only a holder of the master key gets the report, and everybody else sees an unknown path", async () => {
  const key = parseMasterKeys(readFileSync(made.keyFile, "utf8"));
  const stranger = parseMasterKeys(generateMasterKey());
  const ask = async (authorization: string | null, path = REPORT_PATH) => {
    const headers: Record<string, string> = { host: `localhost:${port}` };
    if (authorization !== null) headers.authorization = authorization;
    const answer = await fetch(`${server.url}${path}`, { headers });
    return { status: answer.status, text: await answer.text() };
  };
  const now = Date.now();
  const good = await ask(`Bearer ${reportToken(key, now)}`);
  expect(good.status).toBe(200);
  // Neither a secret nor the key is in the report.
  expect(good.text).not.toContain(readFileSync(made.keyFile, "utf8").trim().slice(3));
  const unknown = await ask(null, "/nowhere");
  for (const authorization of [
    null,
    "Bearer ",
    `Bearer ${made.secretKey}`,
    `Bearer ${reportToken(stranger, now)}`,
    `Bearer ${reportToken(key, now - 90_000)}`,
    `Bearer ${reportToken(key, now + 90_000)}`,
    `Bearer ${reportToken(key, now).replace(/^\d+/, (seconds) => String(Number(seconds) + 1))}`,
    `Bearer ${reportToken(key, now)}x`,
    `Bearer ${Math.floor(now / 1_000)}.`,
  ]) {
    const refused = await ask(authorization);
    expect([authorization, refused.status]).toEqual([authorization, 404]);
    expect(refused.text.replace(/"request_id":"[^"]+"/, "")).toBe(unknown.text.replace(/"request_id":"[^"]+"/, ""));
  }
});

test("few file descriptors are a warning with the line to change", async () => {
  const { env } = await prepareAgain();
  const child = await start(["serve", "--port", "0"], {
    program: [
      "sh",
      "-c",
      'ulimit -n 256 && exec "$0" "$@"',
      process.execPath,
      "run",
      join(import.meta.dir, "../../src/main.ts"),
    ],
    env,
  });
  const findings = await doctorOf(again, "--port", new URL(child.url).port);
  expect(find(findings, "descriptors")[0]).toMatchObject({
    level: "warning",
    message: expect.stringMatching(/of 256 file descriptors/) as unknown,
    fix: expect.stringContaining("LimitNOFILE") as unknown,
  });
  await child.stop();
});

test("a backup is noted for doctor, which asks for one until then", async () => {
  const { env, directory } = await prepareAgain();
  const before = find(await doctorOf(again, "--port", "0"), "backup");
  expect(before[0]).toMatchObject({
    level: "warning",
    fix: expect.stringContaining("sallyport backup FILE") as unknown,
  });
  const file = join(directory, "copy.db");
  expect((await sallyport(["backup", file], { env })).code).toBe(0);
  const after = find(await doctorOf(again, "--port", "0"), "backup");
  expect(after[0]).toMatchObject({ level: "ok", message: expect.stringContaining(file) as unknown });
});

test("a certificate that nobody trusts, and a port without TLS, are explained in sentences", async () => {
  const { directory } = await prepareAgain();
  const [keyFile, certFile] = [join(directory, "tls.key"), join(directory, "tls.crt")];
  const made = Bun.spawnSync([
    ..."openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost".split(
      " ",
    ),
    ..."-addext subjectAltName=DNS:localhost -keyout".split(" "),
    keyFile,
    "-out",
    certFile,
  ]);
  expect(made.success).toBeTrue();
  const web = Bun.serve({
    port: 0,
    tls: { key: Bun.file(keyFile), cert: Bun.file(certFile) },
    fetch: () => new Response(),
  });
  const plain = Bun.serve({ port: 0, fetch: () => new Response() });
  for (const [url, said] of [
    [`https://localhost:${web.port}`, "its certificate is signed by itself"],
    [`https://127.0.0.1:${web.port}`, "its certificate is"],
    [`https://localhost:${plain.port}`, "it does not speak TLS there"],
    ["https://localhost:1", "nothing listens there"],
    ["https://nosuch.invalid", "its name has no address"],
  ] as const) {
    const [finding] = find(await doctorOf(again, "--port", "0", "--public-url", url), "public URL");
    expect([url, finding?.message]).toEqual([url, expect.stringContaining(said)]);
  }
  await Promise.all([web.stop(true), plain.stop(true)]);
});

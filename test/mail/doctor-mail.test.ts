import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { spfFinding } from "../../src/cli/doctor-mail.ts";
import { type Prepared, prepare, sallyport, scratch, tidy } from "../support/cli.ts";
import { DnsServer } from "./support/dns-server.ts";
import { certificate, MailServer } from "./support/mail-server.ts";

let made: Prepared;
let dns: DnsServer;
beforeAll(async () => {
  made = await prepare();
  dns = await DnsServer.start();
});
setDefaultTimeout(120_000);
afterAll(async () => {
  await tidy();
  await dns[Symbol.asyncDispose]();
});

interface Finding {
  check: string;
  level: string;
  message: string;
  fix: string | null;
}

/** Returns the findings of doctor about mail. */
async function look(env: Record<string, string>, ...args: string[]): Promise<{ code: number; found: Finding[] }> {
  const all = ["doctor", "--json", "--port", "0", "--dns-server", dns.address, ...args];
  const { code, stdout, stderr } = await sallyport(all, { env: { ...made.env, ...env } });
  if (stdout === "") throw new Error(stderr);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const checks = ["mail server", "sender", "SPF", "DKIM", "DMARC"];
  return { code, found: findings.filter(({ check }) => checks.includes(check)) };
}

const of = (found: Finding[], check: string) => found.filter((finding) => finding.check === check);

const GOOD = {
  "example.com": ["some-verification=1", "v=spf1 include:_spf.mail.example -all"],
  "_spf.mail.example": "v=spf1 ip4:192.0.2.0/24 -all",
  "s2026._domainkey.example.com": `v=DKIM1; k=rsa; p=${"A".repeat(380)}`,
  "_dmarc.example.com": "v=DMARC1; p=reject; rua=mailto:postmaster@example.com",
};

test("a working mail server and a domain with all records have no problem, and doctor sends no mail", async () => {
  const login = { user: "sally", password: "walnut" };
  await using server = await MailServer.start({ tls: "starttls", login });
  const ca = join(scratch(), "ca.pem");
  writeFileSync(ca, certificate().cert);
  dns.publish(GOOD);
  const { code, found } = await look({
    SALLYPORT_SMTP_URL: `smtp://sally:walnut@localhost:${server.port}?tls=required`,
    SALLYPORT_SMTP_CA_FILE: ca,
    SALLYPORT_MAIL_FROM: "Acme <no-reply@example.com>",
    SALLYPORT_DKIM_SELECTORS: "s2026",
  });
  expect(found.map(({ check, level }) => [check, level])).toEqual([
    ["mail server", "ok"],
    ["SPF", "ok"],
    ["DKIM", "ok"],
    ["DMARC", "ok"],
  ]);
  expect(of(found, "mail server")[0]?.message).toContain("encrypted (STARTTLS), signed in");
  expect([code, server.received.length]).toEqual([0, 0]);
});

test("for a domain without records, shows each record to publish, also for a tenant's own sender", async () => {
  await using server = await MailServer.start();
  dns.publish({});
  const set = ["tenant", "set", "default", "--mail-from", "no-reply@acme.example"];
  expect((await sallyport(set, { env: made.env })).code).toBe(0);
  const env = { SALLYPORT_SMTP_URL: server.url, SALLYPORT_MAIL_FROM: "no-reply@mail.example.com" };
  const { code, found } = await look(env);
  expect(code).toBe(0);
  for (const domain of ["mail.example.com", "acme.example"]) {
    const told = found.filter(({ message }) => message.includes(domain));
    expect(told.map(({ check, level }) => [check, level])).toEqual([
      ["SPF", "warning"],
      ["DKIM", "warning"],
      ["DMARC", "warning"],
    ]);
    const fixes = told.map(({ fix }) => fix ?? "");
    expect(fixes[0]).toContain(`Publish at ${domain}, as TXT: "v=spf1 ip4:127.0.0.1 ~all"`);
    expect(fixes[1]).toContain(`<selector>._domainkey.${domain}`);
    expect(fixes[2]).toContain(
      `Publish at _dmarc.${domain}, as TXT: "v=DMARC1; p=none; rua=mailto:postmaster@${domain}"`,
    );
  }
  // A domain above may publish the policy.
  expect(dns.asked).toContain("_dmarc.example.com");
  const database = new Database(join(made.data, "sallyport.db"));
  database.run("UPDATE tenants SET mail_from = NULL");
  database.close();
});

const records: {
  name: string;
  publish: Record<string, string | string[]>;
  check: string;
  level: string;
  says: RegExp;
}[] = [
  {
    name: "two SPF records",
    publish: { ...GOOD, "example.com": ["v=spf1 -all", "v=spf1 mx ~all"] },
    check: "SPF",
    level: "warning",
    says: /2 SPF records.*Merge them into one/,
  },
  {
    name: "an SPF record that allows every server",
    publish: { ...GOOD, "example.com": "v=spf1 +all" },
    check: "SPF",
    level: "warning",
    says: /every server.*~all or -all/,
  },
  {
    name: "an SPF record with too many lookups, in a ring",
    publish: {
      ...GOOD,
      "example.com": `v=spf1 ${Array.from({ length: 9 }, (_, i) => `include:i${i}.example`).join(" ")} include:ring.example -all`,
      "ring.example": "v=spf1 include:ring.example include:example.com mx -all",
    },
    check: "SPF",
    level: "warning",
    says: /more than 10 lookups/,
  },
  {
    name: "a key that was withdrawn",
    publish: { ...GOOD, "s2026._domainkey.example.com": "v=DKIM1; p=" },
    check: "DKIM",
    level: "warning",
    says: /no valid key s2026.*Publish at s2026\._domainkey\.example\.com/,
  },
  {
    name: "a policy of the domain above",
    publish: { ...GOOD, "_dmarc.example.com": [], "_dmarc.com": "v=DMARC1; p=none" },
    check: "DMARC",
    level: "warning",
    says: /no policy, so large providers/,
  },
  {
    name: "an unknown policy",
    publish: { ...GOOD, "_dmarc.example.com": "v=DMARC1; rua=mailto:a@example.com" },
    check: "DMARC",
    level: "warning",
    says: /no known policy.*p=none/,
  },
];

test("reports records without effect", async () => {
  await using server = await MailServer.start();
  const env = {
    SALLYPORT_SMTP_URL: server.url,
    SALLYPORT_MAIL_FROM: "no-reply@example.com",
    SALLYPORT_DKIM_SELECTORS: "s2026",
  };
  for (const { name, publish, check, level, says } of records) {
    dns.publish(publish);
    const [told] = of((await look(env)).found, check);
    expect({ name, level: told?.level }).toEqual({ name, level });
    expect(`${told?.message} ${told?.fix}`).toMatch(says);
  }
  // For a subdomain, the policy of the domain above counts.
  dns.publish({ ...GOOD, "_dmarc.example.com": "v=DMARC1; p=reject; sp=quarantine" });
  const below = await look({ ...env, SALLYPORT_MAIL_FROM: "no-reply@mail.example.com" });
  expect(of(below.found, "DMARC")[0]).toMatchObject({
    level: "ok",
    message: expect.stringContaining("p=quarantine (of"),
  });
});

test("the record names a known provider", () => {
  const host = "smtp.sendgrid.net";
  const told = (spf: string[], includes: string[] = []) =>
    spfFinding("example.com", { spf, spfIncludes: new Set(includes), spfLookups: 1 }, host);
  expect(told([]).fix).toContain('"v=spf1 include:sendgrid.net ~all"');
  expect(told(["v=spf1 mx -all"]).fix).toContain('"v=spf1 mx include:sendgrid.net -all"');
  expect(told(["v=spf1 include:sendgrid.net -all"], ["sendgrid.net"]).level).toBe("ok");
  expect(spfFinding("example.com", { spf: [], spfIncludes: new Set(), spfLookups: 0 }, "mx.example.com").fix).toContain(
    '"v=spf1 a:mx.example.com ~all" (or the record that your mail provider gives)',
  );
});

test("reports a connection problem with the fix", async () => {
  await using plain = await MailServer.start({ login: { user: "sally", password: "walnut" } });
  await using tls = await MailServer.start({ tls: "starttls" });
  const closed = await MailServer.start();
  await closed[Symbol.asyncDispose]();
  dns.publish(GOOD);
  const troubles: [url: string, level: string, says: RegExp][] = [
    [`smtp://sally:wrong@127.0.0.1:${plain.port}`, "error", /535.*Check user and password/],
    [`smtp://127.0.0.1:${plain.port}?tls=required`, "error", /offers no encryption: use smtps/],
    [`smtp://localhost:${tls.port}?tls=required`, "error", /certificate.*smtp_ca_file/i],
    [`smtps://127.0.0.1:${plain.port}`, "error", /smtps:\/\/ begins with TLS/],
    [closed.url, "error", /No server listens there/],
    ["smtp://nosuch.invalid:587", "error", /Check the host in smtp_url/],
    [`smtp://127.0.0.1:${tls.port}?tls=optional`, "warning", /switch the encryption off/],
  ];
  for (const [url, level, says] of troubles) {
    const { found, code } = await look({ SALLYPORT_SMTP_URL: url, SALLYPORT_MAIL_FROM: "a@example.com" });
    const [told] = of(found, "mail server");
    expect({ url, level: told?.level, code }).toEqual({ url, level, code: level === "error" ? 1 : 0 });
    expect(`${told?.message} ${told?.fix}`).toMatch(says);
    expect(JSON.stringify(found)).not.toContain("wrong@");
  }
});

test("reports a missing mail server, sender or name server", async () => {
  const none = await look({});
  expect(none.found).toMatchObject([
    { check: "mail server", level: "warning", fix: expect.stringContaining("SMTP_URL") },
  ]);
  await using server = await MailServer.start();
  const unsent = await look({ SALLYPORT_SMTP_URL: server.url });
  expect(of(unsent.found, "sender")).toMatchObject([{ level: "error", fix: expect.stringContaining("Set mail_from") }]);
  const bad = ["doctor", "--dns-server", "dns.example.com"];
  const env = { ...made.env, SALLYPORT_SMTP_URL: server.url };
  expect(await sallyport(bad, { env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("use an IP address"),
  });
});

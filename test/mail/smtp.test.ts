import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { parseSender } from "../../src/mail/sender.ts";
import { SmtpTransport, withoutAddresses } from "../../src/mail/smtp.ts";
import { parseSmtpUrl } from "../../src/mail/smtp-url.ts";
import { type Mail, MailRefused } from "../../src/mail/transport.ts";
import { certificate, MailServer } from "./support/mail-server.ts";

setDefaultTimeout(60_000);

const open: SmtpTransport[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close();
});

function transportTo(url: string, ca: string | null = null, name: string | null = null): SmtpTransport {
  const transport = new SmtpTransport({ server: parseSmtpUrl(url), ca, maxConnections: 2, name });
  open.push(transport);
  return transport;
}

const sender = (text: string) => parseSender(text) ?? { name: "", address: "" };

const MAIL: Mail = {
  id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
  createdAt: Date.UTC(2026, 2, 1, 12),
  from: sender("Acme, Inc. <no-reply@acme.example>"),
  replyTo: null,
  to: "ada@example.com",
  subject: "Grüße",
  text: "Guten Tag\n",
  html: "<p>Guten Tag</p>",
  language: "de",
};
const send = (transport: SmtpTransport, mail: Partial<Mail> = {}) =>
  transport.send({ ...MAIL, ...mail }, AbortSignal.timeout(20_000));

/** Returns the refusal of a mail. */
async function refusal(sending: Promise<unknown>): Promise<MailRefused> {
  const error = await sending.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof MailRefused)) throw new Error(`no refusal: ${String(error)}`);
  return error;
}

describe("an arriving mail", () => {
  test("has text, HTML and language, and says that a machine wrote it (RFC 3834)", async () => {
    await using server = await MailServer.start();
    const answer = await send(transportTo(server.url, null, "login.example.com"), {
      replyTo: sender("help@acme.example"),
    });
    expect(answer).toContain("queued as 4711");
    const [received] = server.received;
    expect(received?.envelope).toEqual({ from: "no-reply@acme.example", to: ["ada@example.com"] });
    expect(received?.helo).toBe("login.example.com");
    const { mail } = received ?? { mail: null };
    expect(mail?.from).toEqual({ name: "Acme, Inc.", address: "no-reply@acme.example" });
    expect(mail?.to).toEqual([{ name: "", address: "ada@example.com" }]);
    expect(mail?.replyTo).toEqual([{ name: "", address: "help@acme.example" }]);
    expect([mail?.subject, mail?.text?.trim(), mail?.html?.trim()]).toEqual(["Grüße", "Guten Tag", "<p>Guten Tag</p>"]);
    expect(mail?.messageId).toBe(`<${MAIL.id}@acme.example>`);
    expect(Date.parse(mail?.date ?? "")).toBe(MAIL.createdAt);
    const headers = Object.fromEntries((mail?.headers ?? []).map(({ key, value }) => [key, value]));
    expect(headers).toMatchObject({ "auto-submitted": "auto-generated", "content-language": "de" });
  });

  test("no value adds a header, a recipient or a second mail", async () => {
    await using server = await MailServer.start();
    const evil = "x\r\nBcc: evil@example.org\r\n\r\n.\r\nMAIL FROM:<evil@example.org>";
    const transport = transportTo(server.url);
    await send(transport, {
      subject: evil,
      text: `${evil}\r\n.\r\nQUIT\r\n`,
      html: evil,
      from: { name: evil, address: "no-reply@acme.example" },
    });
    expect(server.received).toHaveLength(1);
    const [received] = server.received;
    expect(received?.envelope).toEqual({ from: "no-reply@acme.example", to: ["ada@example.com"] });
    const keys = received?.mail.headers.map(({ key }) => key);
    expect(keys).not.toContain("bcc");
    expect(received?.mail.bcc).toBeUndefined();
    expect(received?.mail.text).toContain("QUIT");
    for (const to of ["a@example.com, b@example.org", "a@example.com\r\nRCPT TO:<b@example.org>", "<a@example.com>"]) {
      expect((await refusal(send(transport, { to }))).isPermanent).toBe(true);
    }
    expect(server.received).toHaveLength(1);
  });
});

describe("the connection", () => {
  const { cert } = certificate();

  test("uses STARTTLS with a trusted certificate", async () => {
    await using server = await MailServer.start({ tls: "starttls" });
    await send(transportTo(`smtp://localhost:${server.port}?tls=required`, cert));
    expect(server.received[0]?.isSecure).toBe(true);
  });

  test("uses TLS from the start", async () => {
    await using server = await MailServer.start({ tls: "implicit" });
    await send(transportTo(`smtps://localhost:${server.port}`, cert));
    expect(server.received[0]?.isSecure).toBe(true);
  });

  test("refuses an untrusted certificate, and the mail waits", async () => {
    for (const tls of ["starttls", "implicit"] as const) {
      await using server = await MailServer.start({ tls });
      const url =
        tls === "implicit" ? `smtps://localhost:${server.port}` : `smtp://localhost:${server.port}?tls=required`;
      const { isPermanent, message } = await refusal(send(transportTo(url)));
      expect([isPermanent, server.received.length]).toEqual([false, 0]);
      expect(message).toMatch(/certificate/i);
    }
  });

  test("refuses a certificate for another name", async () => {
    await using server = await MailServer.start({ tls: "starttls" });
    const { message } = await refusal(send(transportTo(`smtp://127.0.0.1:${server.port}?tls=required`, cert)));
    expect(message).toMatch(/altnames|127\.0\.0\.1/);
    expect(server.received).toEqual([]);
  });

  test("sends neither password nor mail if STARTTLS is required but not offered", async () => {
    const login = { user: "sally", password: "walnut" };
    await using server = await MailServer.start({ login });
    const { isPermanent } = await refusal(
      send(transportTo(`smtp://sally:walnut@localhost:${server.port}?tls=required`, cert)),
    );
    expect([isPermanent, server.received.length]).toEqual([false, 0]);
  });

  test("signs in if the server requires it; the mail is not to blame for a wrong password", async () => {
    const login = { user: "sally@example.com", password: "p@ss/word:#1" };
    await using server = await MailServer.start({ tls: "starttls", login });
    const at = `localhost:${server.port}?tls=required`;
    await send(transportTo(`smtp://sally%40example.com:p%40ss%2Fword%3A%231@${at}`, cert));
    expect(server.received[0]?.user).toBe("sally@example.com");
    const wrong = await refusal(send(transportTo(`smtp://sally%40example.com:other@${at}`, cert)));
    expect(wrong.isPermanent).toBe(false);
    expect(wrong.message).toContain("535");
    const none = await refusal(send(transportTo(`smtp://${at}`, cert)));
    expect(none.isPermanent).toBe(false);
  });

  test("keeps connections and uses them again", async () => {
    await using server = await MailServer.start();
    const transport = transportTo(server.url);
    for (let i = 0; i < 5; i++) await send(transport);
    expect([server.received.length, server.connections]).toEqual([5, 1]);
  });
});

describe("a server that refuses", () => {
  const answers: { phase: "mail" | "rcpt" | "data" | "connect"; does: string; isPermanent: boolean }[] = [
    { phase: "rcpt", does: "550 5.1.1 <ada@example.com> no such user", isPermanent: true },
    { phase: "rcpt", does: "450 4.2.1 ada@example.com is over quota", isPermanent: false },
    { phase: "mail", does: "553 5.7.1 sender not owned", isPermanent: true },
    { phase: "mail", does: "530 5.7.0 Authentication required", isPermanent: false },
    { phase: "data", does: "554 5.7.1 looks like spam", isPermanent: true },
    { phase: "data", does: "451 4.7.1 greylisted", isPermanent: false },
    { phase: "connect", does: "421 4.3.2 not now", isPermanent: false },
    { phase: "connect", does: "554 5.7.1 this network is blocked", isPermanent: false },
  ];
  for (const { phase, does, isPermanent } of answers) {
    test(`${does} at ${phase}: ${isPermanent ? "for good" : "for now"}`, async () => {
      await using server = await MailServer.start();
      const transport = transportTo(server.url);
      server.faults.push({ phase, does });
      const refused = await refusal(send(transport));
      expect(refused.isPermanent).toBe(isPermanent);
      expect(refused.message).toContain(does.slice(0, 3));
      expect(JSON.stringify([refused.message, refused.cause])).not.toContain("ada@");
      await send(transport);
      expect(server.received).toHaveLength(1);
    });
  }

  test("a dropped connection is a temporary refusal", async () => {
    await using server = await MailServer.start();
    const transport = transportTo(server.url);
    for (const phase of ["rcpt", "data"] as const) {
      server.faults.push({ phase, does: "drop" });
      expect((await refusal(send(transport))).isPermanent).toBe(false);
    }
    expect(server.received).toEqual([]);
    await send(transport);
    expect(server.received).toHaveLength(1);
  });

  test("an unreachable server is a temporary refusal", async () => {
    const server = await MailServer.start();
    await server[Symbol.asyncDispose]();
    const refused = await refusal(send(transportTo(server.url)));
    expect([refused.isPermanent, refused.cause]).toEqual([false, { code: "ECONNREFUSED" }]);
  });

  test("an attempt can be aborted, and the next attempt succeeds", async () => {
    await using server = await MailServer.start();
    const transport = transportTo(server.url);
    for (const phase of ["connect", "rcpt", "data"] as const) {
      server.faults.push({ phase, does: "hang" });
      const ending = new AbortController();
      const sending = refusal(transport.send(MAIL, ending.signal));
      await server.hanging(1);
      ending.abort();
      expect((await sending).isPermanent).toBe(false);
      server.release();
    }
    await send(transport);
    expect(server.received.length).toBeGreaterThan(0);
  });
});

test("an answer of a server loses addresses and line breaks, and is cut to a maximum length", () => {
  expect(withoutAddresses("550-5.1.1 <Ada@example.com>\r\n550 ada=40example.com: x")).toBe(
    "550-5.1.1 <address> 550 <address> x",
  );
  expect(withoutAddresses("4.2.1 bounce+ada=example.com@mx.example.org is full")).toBe("4.2.1 <address> is full");
  expect(withoutAddresses("x".repeat(5_000))).toHaveLength(300);
});

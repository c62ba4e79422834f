import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadSettings } from "../../src/core/config.ts";
import { parseSender } from "../../src/mail/sender.ts";
import { mailSettings } from "../../src/mail/settings.ts";
import { smtpOptions } from "../../src/mail/smtp.ts";
import { parseSmtpUrl } from "../../src/mail/smtp-url.ts";
import { scratch } from "../support/cli.ts";

describe("smtp_url", () => {
  const good: [url: string, what: ReturnType<typeof parseSmtpUrl>][] = [
    ["smtp://smtp.example.com", { host: "smtp.example.com", port: 587, tls: "required", user: null, password: null }],
    [
      "smtp://user:p%40ss@smtp.example.com:2525/",
      { host: "smtp.example.com", port: 2525, tls: "required", user: "user", password: "p@ss" },
    ],
    [
      "smtps://user@smtp.example.com",
      { host: "smtp.example.com", port: 465, tls: "implicit", user: "user", password: null },
    ],
    [
      "smtp://smtp.example.com:465",
      { host: "smtp.example.com", port: 465, tls: "implicit", user: null, password: null },
    ],
    ["smtp://relay:25?tls=off", { host: "relay", port: 25, tls: "off", user: null, password: null }],
    ["smtp://relay:25?tls=optional", { host: "relay", port: 25, tls: "optional", user: null, password: null }],
    ["smtp://localhost:1025", { host: "localhost", port: 1025, tls: "off", user: null, password: null }],
    ["smtp://127.0.0.1:25?tls=required", { host: "127.0.0.1", port: 25, tls: "required", user: null, password: null }],
    ["smtp://[::1]:25", { host: "::1", port: 25, tls: "off", user: null, password: null }],
    ["smtp://[2001:db8::1]", { host: "2001:db8::1", port: 587, tls: "required", user: null, password: null }],
  ];
  test.each(good)("%s", (url, what) => expect(parseSmtpUrl(url)).toEqual(what));

  const bad: [url: string, says: RegExp][] = [
    ["smtp.example.com:587", /must be a URL such as smtp:\/\//],
    ["https://smtp.example.com", /must be a URL such as/],
    ["smtp://user:pa/ss@smtp.example.com", /must be a URL|percent-encoded/],
    ["smtp://user:pa#ss@smtp.example.com", /must be a URL|percent-encoded/],
    ["smtp://smtp.example.com/inbox", /end with the port/],
    ["smtp://smtp.example.com?secure=true", /unknown parameter secure; the only one is tls=/],
    ["smtp://smtp.example.com?tls=maybe", /required, optional or off/],
    ["smtps://smtp.example.com?tls=off", /takes no tls=/],
    ["smtp://:secret@smtp.example.com", /password but no user/],
    ["smtp://user:50%@smtp.example.com", /%25/],
    ["smtp://smtp.example.com:0", /port 0/],
  ];
  test.each(bad)("refuses %s, and never repeats it, because it may hold a password", (url, says) => {
    const load = () => loadSettings(mailSettings, { env: { SALLYPORT_SMTP_URL: url }, flags: {} });
    expect(load).toThrow(says);
    expect(load).toThrow(/^SALLYPORT_SMTP_URL is not valid: /);
    expect(load).not.toThrow(/secret|pa[/#]ss|50%/);
  });
});

describe("mail_from", () => {
  const good: [text: string, name: string, address: string][] = [
    ["no-reply@example.com", "", "no-reply@example.com"],
    ["Acme <no-reply@example.com>", "Acme", "no-reply@example.com"],
    ["Müller & Söhne <post@müller.example>", "Müller & Söhne", "post@xn--mller-kva.example"],
    ['"Acme, Inc. (\\"sales\\")" <no-reply@example.com>', 'Acme, Inc. ("sales")', "no-reply@example.com"],
    ["Acme, Inc. <no-reply@example.com>", "Acme, Inc.", "no-reply@example.com"],
    [" <no-reply@example.com> ", "", "no-reply@example.com"],
    ["Sallyport <sallyport@localhost>", "Sallyport", "sallyport@localhost"],
  ];
  test.each(good)("%s", (text, name, address) => expect(parseSender(text)).toEqual({ name, address }));

  const bad = [
    "",
    "Acme",
    "a@example.com, b@example.com",
    "Acme <a@example.com>, B <b@example.com>",
    "Acme <a@example.com> <b@example.com>",
    "Acme\r\nBcc: evil@example.org <a@example.com>",
    "Acme\u2028 <a@example.com>",
    "emcA\u202e <a@example.com>",
    "Acme <a@example.com\r\n>",
    "Acme <a b@example.com>",
    // A Cyrillic а, and a dotless ı.
    "\u0430cme@example.com",
    "adm\u0131n@example.com",
    "Acme <@example.com>",
    `${"x".repeat(101)} <a@example.com>`,
  ];
  test.each(bad)("%p is not a sender", (text) => {
    expect(parseSender(text)).toBeNull();
    if (text === "") return;
    const load = () => loadSettings(mailSettings, { env: { SALLYPORT_MAIL_FROM: text }, flags: {} });
    expect(load).toThrow(/SALLYPORT_MAIL_FROM is not valid: must be one address, such as no-reply@example\.com/);
  });
});

describe("the other settings of smtp_url", () => {
  const options = (env: Record<string, string>, publicUrl?: string) =>
    smtpOptions(loadSettings(mailSettings, { env, flags: {} }), publicUrl);

  test("nothing without it", () => expect(options({})).toBeNull());

  test("the password may have its own setting, with any character", () => {
    const env = { SALLYPORT_SMTP_URL: "smtp://user@a.example", SALLYPORT_SMTP_PASSWORD: "p@:/#%" };
    expect(options(env)?.server.password).toBe("p@:/#%");
    const nobody = { ...env, SALLYPORT_SMTP_URL: "smtp://a.example" };
    expect(() => options(nobody)).toThrow(/names no user/);
  });

  test("the machine introduces itself with its public name, but never with an address or a single word", () => {
    const env = { SALLYPORT_SMTP_URL: "smtp://a.example" };
    expect(options(env, "https://login.example.com")?.name).toBe("login.example.com");
    for (const url of [undefined, "http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080"]) {
      expect(options(env, url)?.name).toBeNull();
    }
  });

  test("the file of certificates must exist, and must hold a certificate", () => {
    const empty = join(scratch(), "ca.pem");
    writeFileSync(empty, "nothing");
    const env = { SALLYPORT_SMTP_URL: "smtp://a.example" };
    expect(() => options({ ...env, SALLYPORT_SMTP_CA_FILE: "/nonexistent" })).toThrow(/cannot be read \(ENOENT\)/);
    expect(() => options({ ...env, SALLYPORT_SMTP_CA_FILE: empty })).toThrow(/no certificate in PEM/);
  });
});

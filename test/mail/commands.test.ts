import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Prepared, prepare, type Ran, sallyport, scratch, start, tidy } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { certificate, MailServer } from "./support/mail-server.ts";

let made: Prepared;
beforeAll(async () => {
  made = await prepare();
});
setDefaultTimeout(120_000);
afterAll(tidy);

const run = (args: string[], env: Record<string, string> = {}): Promise<Ran> =>
  sallyport(args, { env: { ...made.env, ...env } });

async function json<T = Record<string, unknown>>(args: string[], env: Record<string, string> = {}): Promise<T> {
  const ran = await run([...args, "--json"], env);
  if (ran.code !== 0) throw new Error(`${args.join(" ")} ended with ${ran.code}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}

async function refused(args: string[], env: Record<string, string> = {}): Promise<string> {
  const ran = await run(args, env);
  expect({ code: ran.code === 0, stdout: ran.stdout }).toEqual({ code: false, stdout: "" });
  expect(ran.stderr).not.toMatch(/\n\s+at /);
  return ran.stderr;
}

function auditActions(): string[] {
  const database = new Database(join(made.data, "sallyport.db"), { readonly: true });
  const found = database.query<{ action: string }, []>("SELECT action FROM audit_entries ORDER BY seq").all();
  database.close();
  return found.map((row) => row.action);
}

describe("mail test", () => {
  const FROM = { SALLYPORT_MAIL_FROM: "Acme <no-reply@acme.example>" };

  test("sends a mail now, over STARTTLS and with a password from a file, and shows the server's answer", async () => {
    const login = { user: "sally", password: "p@ss:/#%" };
    await using server = await MailServer.start({ tls: "starttls", login });
    const [secret, ca] = [join(scratch(), "password"), join(scratch(), "ca.pem")];
    writeFileSync(secret, `${login.password}\n`);
    writeFileSync(ca, certificate().cert);
    const env = {
      ...FROM,
      SALLYPORT_SMTP_URL: `smtp://sally@localhost:${server.port}?tls=required`,
      SALLYPORT_SMTP_PASSWORD_FILE: secret,
      SALLYPORT_SMTP_CA_FILE: ca,
    };
    const sent = await json(["mail", "test", "--to", "Ada@example.com", "--language", "de"], env);
    expect(sent).toMatchObject({ status: "sent", from: "Acme <no-reply@acme.example>" });
    expect(String(sent.answer)).toContain("queued as 4711");
    expect(server.received[0]).toMatchObject({ isSecure: true, user: "sally", envelope: { to: ["Ada@example.com"] } });
    expect(server.received[0]?.mail.subject).toBe("Eine Test-E-Mail von Default");
  });

  test("names the problem, without addresses, and sends nothing", async () => {
    await using server = await MailServer.start();
    server.faults.push({ phase: "rcpt", does: "550 5.1.1 <ada@example.com> no such user" });
    const env = { ...FROM, SALLYPORT_SMTP_URL: server.url };
    expect(await refused(["mail", "test", "--to", "ada@example.com"], env)).toMatch(
      /refused the mail: .*550 5\.1\.1 <address>/,
    );
    expect(await refused(["mail", "test", "--to", "ada@example.com"])).toMatch(
      /smtp_url is not set\. Set SALLYPORT_SMTP_URL/,
    );
    expect(await refused(["mail", "test"], env)).toMatch(/Name a recipient with --to ADDRESS/);
    expect(await refused(["mail", "test", "--to", "a@b.example, c@d.example"], env)).toMatch(
      /must be one e-mail address such as/,
    );
    expect(await refused(["mail", "test", "--to", "a@b.example", "--smtp-url", server.url], env)).toMatch(
      /SALLYPORT_SMTP_URL_FILE/,
    );
    expect(server.received).toEqual([]);
  });
});

describe("tenant set", () => {
  test("changes sender, reply address, language and notices, and writes to the audit log", async () => {
    const set = (...args: string[]) => json(["tenant", "set", "default", ...args]);
    expect(
      await set(
        "--mail-from",
        "Acme <no-reply@acme.example>",
        "--mail-reply-to",
        "help@acme.example",
        "--language",
        "de",
      ),
    ).toMatchObject({ mail_from: "Acme <no-reply@acme.example>", mail_reply_to: "help@acme.example", language: "de" });
    expect(await set("--notice-off", "new_device,factor")).toMatchObject({ notices_off: ["factor", "new_device"] });
    expect(await set("--notice-on", "factor", "--notice-off", "account")).toMatchObject({
      notices_off: ["account", "new_device"],
    });
    expect(await json(["tenant", "show", "default"])).toMatchObject({
      language: "de",
      notices_off: ["account", "new_device"],
    });
    expect((await run(["tenant", "show", "default"])).stdout).toMatch(/notices off +account, new_device/);
    expect((await run(["tenant", "list"])).stdout).toMatch(/de +Acme <no-reply@acme\.example>/);
    expect(auditActions().filter((action) => action === "tenant.changed")).toHaveLength(3);
    expect(
      await set("--mail-from", "", "--mail-reply-to", "", "--language", "en", "--notice-on", "account,new_device"),
    ).toMatchObject({ mail_from: null, mail_reply_to: null, language: "en", notices_off: [] });
  });

  test("refuses invalid settings, and changes nothing", async () => {
    const before = auditActions();
    const refusals: [args: string[], says: RegExp][] = [
      [["--mail-from", "Acme"], /mail_from must be one address, such as Acme </],
      [["--mail-from", "a@example.com, b@example.com"], /mail_from must be one address/],
      [["--mail-from", "A\r\nBcc: x@example.com <a@example.com>"], /mail_from must be one address/],
      [["--mail-from", "\u0430cme@example.com"], /mail_from must be one address/],
      [["--mail-reply-to", "nobody"], /mail_reply_to must be one address/],
      [["--language", "fr"], /language must be one of en, de/],
      [["--notice-off", "everything"], /is not a notice.*new_device, password/],
      [["--notice-off", "factor", "--notice-on", "factor"], /both name factor/],
      [["--name", "a\nb"], /name must not hold control characters/],
      [[], /at least one setting/],
    ];
    for (const [args, says] of refusals) expect(await refused(["tenant", "set", "default", ...args])).toMatch(says);
    expect(await refused(["tenant", "set", "nosuch", "--language", "de"])).toMatch(/no tenant nosuch/);
    expect(auditActions()).toEqual(before);
  });
});

describe("mail template", () => {
  test("shows, sets, previews and resets the words of one tenant in one language", async () => {
    const shown = (await run(["mail", "template", "show", "reset_password", "--language", "de"])).stdout;
    expect(shown).toStartWith("Subject: Setzen Sie Ihr Passwort für {{application}} zurück\n\n");
    const file = join(scratch(), "reset.txt");
    writeFileSync(file, "Subject: Neu: {{tenant}} <b>\n\nHallo <b>Sie</b>.\n\n[Los]({{link}})\n\n{{code}}\n");
    const at = ["--tenant", "default", "--language", "de"];
    expect((await run(["mail", "template", "set", "reset_password", file, ...at])).code).toBe(0);
    type Listed = { data: { name: string; language: string; is_own: boolean }[] };
    const own = (await json<Listed>(["mail", "template", "list"])).data.filter(({ is_own }) => is_own);
    expect(own.map(({ name, language }) => [name, language])).toEqual([["reset_password", "de"]]);
    const preview = (kind: string) => run(["mail", "template", "show", "reset_password", ...at, "--preview", kind]);
    expect((await preview("text")).stdout).toStartWith(
      "Subject: Neu: Default <b>\n\nHallo <b>Sie</b>.\n\nLos:\nhttps://",
    );
    expect((await preview("html")).stdout).toContain("Hallo &lt;b&gt;Sie&lt;/b&gt;.");
    expect((await json(["mail", "template", "show", "reset_password"])).is_own).toBe(false);
    expect((await run(["mail", "template", "reset", "reset_password", ...at])).code).toBe(0);
    expect(await refused(["mail", "template", "reset", "reset_password", ...at])).toMatch(/no words of its own/);
    expect(auditActions().slice(-2)).toEqual(["mail_template.changed", "mail_template.reset"]);
  });

  test("refuses invalid words, and names the valid values", async () => {
    const file = join(scratch(), "bad.txt");
    const set = async (text: string, name = "reset_password") => {
      writeFileSync(file, text);
      return refused(["mail", "template", "set", name, file]);
    };
    expect(await set("Subject: x\n\n{{link}} {{user}}")).toMatch(
      /\{\{user\}\}: unknown value in reset_password.*\{\{link\}\}/,
    );
    expect(await set("Subject: x\n\nHello")).toMatch(/must contain \{\{link\}\} or \{\{code\}\}/);
    expect(await set("Hello")).toMatch(/first line must be `Subject: /);
    expect(await set("Subject: x\n\n{{link}}", "nosuch")).toMatch(/no template nosuch.*reset_password/);
    expect(await refused(["mail", "template", "set", "test", "/nonexistent"])).toMatch(/cannot be read \(ENOENT\)/);
    expect(await refused(["mail", "template", "show", "test", "--language", "fr"])).toMatch(/no language fr.*en, de/);
    expect(await refused(["mail", "template", "show", "test", "--preview", "pdf"])).toMatch(/text or html/);
  });
});

describe("the outbox of a running server", () => {
  interface Listed {
    data: {
      id: string;
      state: string;
      to: string | null;
      template: string;
      attempts: number;
      last_error: string | null;
    }[];
  }

  test("a mail survives kill -9 between sending and marking, and goes again as the same mail", async () => {
    await using server = await MailServer.start();
    const env = { ...made.env, SALLYPORT_SMTP_URL: server.url, SALLYPORT_MAIL_FROM: "no-reply@acme.example" };
    const first = await start(["serve", "--port", "0"], { env });
    // The server takes the mail, but its answer never arrives: the worst moment.
    await changePassword(first.url, "kill@example.com", async () => {
      await dropMail(server);
      server.faults.push({ phase: "data", does: "keep and hang" });
    });
    await eventually(() => expect(server.received).toHaveLength(1));
    await first.stop("SIGKILL");
    server.release();
    const second = await start(["serve", "--port", "0"], { env });
    // The mail is claimed until its lease ends. Meanwhile an operator sees the mail and its recipient.
    const [waiting] = (await json<Listed>(["mail", "list"])).data;
    expect(waiting).toMatchObject({
      state: "waiting",
      to: "k•••@example.com",
      template: "password_changed",
      attempts: 1,
    });
    expireLeases();
    await eventually(() => expect(server.received).toHaveLength(2));
    const [one, two] = server.received.map(({ mail }) => mail.messageId);
    expect(one).toBe(two as string);
    await eventually(async () => expect((await json<Listed>(["mail", "list"])).data).toEqual([]));
    expect(await second.stop()).toBe(0);
  });

  test("mail list shows a failed mail with its reason, and mail retry sends it again", async () => {
    await using server = await MailServer.start();
    const env = { ...made.env, SALLYPORT_SMTP_URL: server.url, SALLYPORT_MAIL_FROM: "no-reply@acme.example" };
    const running = await start(["serve", "--port", "0"], { env });
    await changePassword(running.url, "dead@example.com", async () => {
      await dropMail(server);
      server.faults.push({ phase: "rcpt", does: "550 5.1.1 <dead@example.com> unknown" });
    });
    const [dead] = await eventually(async () => {
      const { data } = await json<Listed>(["mail", "list", "--dead"]);
      expect(data).toHaveLength(1);
      return data;
    });
    expect(dead).toMatchObject({ state: "dead", to: "d•••@example.com" });
    expect(dead?.last_error).toContain("550 5.1.1 <address> unknown");
    expect((await run(["mail", "list"])).stdout).toContain("550 5.1.1");
    expect(running.output()).not.toContain("dead@example.com");
    expect(running.output()).toContain("A mail has failed for good");
    expect(await refused(["mail", "retry"])).toMatch(/either the ID of a mail or --all-dead/);
    expect(await refused(["mail", "retry", "nosuch"])).toMatch(/not the id of a mail/);
    expect(await refused(["mail", "retry", crypto.randomUUID()])).toMatch(/There is no mail/);
    expect(await json(["mail", "retry", dead?.id ?? ""])).toEqual({ retried: [dead?.id ?? ""] });
    await eventually(() => expect(server.received).toHaveLength(1));
    await eventually(async () => expect(await refused(["mail", "retry", dead?.id ?? ""])).toMatch(/was sent at/));
    expect((await run(["mail", "retry", "--all-dead"])).stdout).toBe("0 mails are sent again.\n");
    expect((await run(["mail", "list"])).stdout).toMatch(/No mail waits/);
    await running.stop();
  });

  test("serve warns once without a mail server, and works; an invalid setting stops it with the fix", async () => {
    const running = await start(["serve", "--port", "0"], { env: made.env });
    await changePassword(running.url, "alone@example.com");
    expect(running.output().match(/smtp_url is not set/g)).toHaveLength(1);
    expect((await fetch(`${running.url}/dev/inbox.json`)).status).toBe(404);
    expect(await running.stop()).toBe(0);
    const bad = await refused(["serve", "--port", "0"], { SALLYPORT_SMTP_URL: "smtp.example.com" });
    expect(bad).toMatch(/SALLYPORT_SMTP_URL is not valid: must be a URL such as smtp:/);
    expect(await refused(["serve", "--port", "0", "--mail-from", "Acme"])).toMatch(
      /--mail-from is not valid: must be one/,
    );
  });
});

describe("dev", () => {
  test("shows the address of its inbox, and catches the mails", async () => {
    const running = await start(["dev", "--ephemeral", "--port", "0", "--json"], { cwd: scratch() });
    expect(running.ready.inbox_url).toBe(`${running.ready.url}/dev/inbox`);
    expect((await fetch(`${running.url}/dev/inbox.json`)).status).toBe(200);
    await running.stop();
  });

  test("sends real mails through a mail server, and then has no inbox", async () => {
    await using server = await MailServer.start();
    const env = { SALLYPORT_SMTP_URL: server.url };
    const running = await start(["dev", "--ephemeral", "--port", "0", "--json"], { cwd: scratch(), env });
    expect(running.ready.inbox_url).toBeNull();
    expect((await fetch(`${running.url}/dev/inbox.json`)).status).toBe(404);
    await running.stop();
  });

  test("refuses an address that only begins like one of this machine", async () => {
    const ran = await sallyport(["dev", "--ephemeral", "--public-url", "http://127.0.0.1.evil.example"], {
      cwd: scratch(),
    });
    expect([ran.code, ran.stdout]).toEqual([1, ""]);
    expect(ran.stderr).toContain("is for this machine only");
  });
});

async function post(url: string, path: string, body: object, bearer?: string) {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as { access_token: string } };
}

/**
 * Signs a user up, and changes the password, which sends a notice.
 * @param signedUp waits for the mail of the sign-up
 */
async function changePassword(url: string, email: string, signedUp = async (): Promise<void> => {}): Promise<void> {
  const password = "five tame otters hum at dawn";
  const { body } = await post(url, "/v1/auth/register", { email, password });
  await signedUp();
  const changing = { current_password: password, new_password: "granite-lantern-moth-88" };
  expect((await post(url, "/v1/auth/password/change", changing, body.access_token)).status).toBe(200);
}

/** Waits for the mail of a sign-up, and drops it. */
async function dropMail(server: MailServer): Promise<void> {
  await eventually(() => expect(server.received).toHaveLength(1));
  await eventually(async () => expect((await json<{ data: unknown[] }>(["mail", "list"])).data).toEqual([]));
  server.received.length = 0;
}

/** Ends every claim. */
const expireLeases = () => change("UPDATE outbox_mails SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL");

function change(sql: string, ...values: string[]): void {
  const database = new Database(join(made.data, "sallyport.db"));
  database.run("PRAGMA busy_timeout = 10000");
  database.run(sql, values);
  database.close();
}

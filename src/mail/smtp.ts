import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import type { Transporter } from "nodemailer";
import { SECOND } from "../core/clock.ts";
import { ConfigError, type SettingsOf } from "../core/config.ts";
import { canonicalEmail } from "../core/email.ts";
import { domainOf } from "./sender.ts";
import type { mailSettings } from "./settings.ts";
import type { SmtpServer } from "./smtp-url.ts";
import { type Mail, MailRefused, type Transport } from "./transport.ts";

/** Milliseconds for each step with the server. The outbox limits the whole attempt. */
const CONNECT = 10 * SECOND;
const GREETING = 10 * SECOND;
const SILENCE = 30 * SECOND;

export interface SmtpOptions {
  server: SmtpServer;
  /** Certificates in PEM to trust for the server, besides the well-known ones. */
  ca: string | null;
  maxConnections: number;
  /** The name in EHLO. It should be public, or servers take the sender for a bot. Null means the name of the machine. */
  name: string | null;
}

type Settings = Pick<
  SettingsOf<typeof mailSettings>,
  "smtp_url" | "smtp_password" | "smtp_ca_file" | "smtp_connections"
>;

/** @returns null without smtp_url @throws ConfigError with the fix */
export function smtpOptions(settings: Settings, publicUrl: string | undefined): SmtpOptions | null {
  const { smtp_url: url, smtp_password: password, smtp_ca_file: caFile } = settings;
  if (url === undefined) return null;
  if (password !== undefined && url.user === null) {
    throw new ConfigError("smtp_password is set, but smtp_url names no user: write smtp://user@host:587.");
  }
  const host = publicUrl === undefined ? null : new URL(publicUrl).hostname;
  return {
    server: { ...url, password: password ?? url.password },
    ca: caFile === undefined ? null : readCertificates(caFile),
    maxConnections: settings.smtp_connections,
    name: host?.includes(".") && !/^\[|^[\d.]+$/.test(host) ? host : null,
  };
}

function readCertificates(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(
      `smtp_ca_file names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    );
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ConfigError(`smtp_ca_file names ${file}, which holds no certificate in PEM (-----BEGIN CERTIFICATE-----).`);
}

/** Sends mails to a mail server (RFC 5321, RFC 6409) over kept connections. */
export class SmtpTransport implements Transport {
  #transporter: Promise<Transporter> | null = null;

  constructor(private readonly options: SmtpOptions) {}

  async send(mail: Mail, signal: AbortSignal): Promise<string> {
    // The library takes any address with a comma for several recipients, wherever the comma stands.
    if (canonicalEmail(mail.to) === null) throw new MailRefused("the recipient is not one address", true);
    const transporter = await this.#open();
    try {
      const { response } = (await transporter.sendMail({ ...messageOf(mail), signal })) as { response: string };
      return withoutAddresses(response);
    } catch (error) {
      throw refusalOf(error, signal);
    }
  }

  /** Connects, encrypts and signs in without sending a mail. @throws MailRefused, whose cause has a `code` for the kind */
  async verify(): Promise<void> {
    const transporter = await this.#open();
    try {
      await transporter.verify();
    } catch (error) {
      throw refusalOf(error);
    }
  }

  async close(): Promise<void> {
    const open = this.#transporter;
    this.#transporter = null;
    (await open)?.close();
  }

  /** Loads the package on first use, so that a process that sends no mail never loads it. */
  #open(): Promise<Transporter> {
    this.#transporter ??= import("nodemailer").then(({ createTransport }) =>
      createTransport({ ...connectionOf(this.options), pool: true, maxConnections: this.options.maxConnections }),
    );
    return this.#transporter;
  }
}

function connectionOf({ server, ca, name }: SmtpOptions) {
  const { host, port, tls, user, password } = server;
  return {
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "required",
    ignoreTLS: tls === "off",
    opportunisticTLS: tls === "optional",
    tls: {
      minVersion: "TLSv1.2" as const,
      // An attacker in between could as well remove the offer of STARTTLS.
      rejectUnauthorized: tls !== "optional",
      ...(ca === null ? {} : { ca: [...rootCertificates, ca] }),
    },
    ...(user === null ? {} : { auth: { user, pass: password ?? "" } }),
    ...(name === null ? {} : { name }),
    connectionTimeout: CONNECT,
    greetingTimeout: GREETING,
    dnsTimeout: CONNECT,
    socketTimeout: SILENCE,
    // The outbox repeats mails. One repeat is free: after the server closed an idle connection.
    maxRequeues: 1,
  };
}

/** Passes addresses as parts, never as text to parse, so that no value can add a recipient or a header (CWE-93). */
function messageOf(mail: Mail) {
  const { from, replyTo } = mail;
  return {
    messageId: `<${mail.id}@${domainOf(from.address)}>`,
    date: new Date(mail.createdAt),
    from: { name: from.name, address: from.address },
    to: { name: "", address: mail.to },
    ...(replyTo === null ? {} : { replyTo: { name: replyTo.name, address: replyTo.address } }),
    envelope: { from: from.address, to: mail.to },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: {
      "Content-Language": mail.language,
      // RFC 3834 section 5: prevents vacation replies. Exchange uses the second header for the same.
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

interface SmtpError {
  code?: string;
  originalCode?: string;
  command?: string;
  response?: string;
  responseCode?: number;
  permanent?: boolean;
  message?: string;
}

/** Matches commands about the mail itself; a refused sign-in says nothing about the mail. */
const ABOUT_THE_MAIL = /^(?:MAIL FROM|RCPT TO|DATA)$/;
/** Replies that mean "sign in first" (RFC 4954 section 6). The operator must act, and the mail waits. */
const ABOUT_US: ReadonlySet<number> = new Set([530, 534, 535, 538]);

function refusalOf(thrown: unknown, signal?: AbortSignal): MailRefused {
  const error = thrown as SmtpError;
  const status = error.responseCode ?? 0;
  const isPermanent = error.permanent === true && !ABOUT_US.has(status) && ABOUT_THE_MAIL.test(error.command ?? "");
  const step = error.command === "STARTTLS" ? "STARTTLS: " : "";
  const said = signal?.aborted
    ? "the server took too long"
    : withoutAddresses(step + (error.response || error.message || ""));
  // Keeps only the code of the library's error: its other fields hold addresses, and many people read logs.
  return new MailRefused(said, isPermanent, { cause: { code: error.originalCode ?? error.code ?? null } });
}

const MAX_ANSWER = 300;

/** Prepares a server's answer for a log: on one line, and without the recipient's address. */
export function withoutAddresses(answer: string): string {
  return answer
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .replaceAll(/<?[^\s<>@]+(?:@|=40|%40)[^\s<>]+>?/gi, "<address>")
    .trim()
    .slice(0, MAX_ANSWER);
}

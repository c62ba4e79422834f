import { defineSettings, setting } from "../core/config.ts";
import * as z from "../core/zod.ts";
import { parseSender, type Sender } from "./sender.ts";
import { parseSmtpUrl, type SmtpServer, SmtpUrlError } from "./smtp-url.ts";

/** The sender of an instance without mail_from. No public mail server accepts it. */
export const DEFAULT_SENDER: Sender = { name: "Sallyport", address: "sallyport@localhost" };

const smtpUrl = z
  .string()
  .transform((text, ctx): SmtpServer => {
    try {
      return parseSmtpUrl(text);
    } catch (error) {
      if (!(error instanceof SmtpUrlError)) throw error;
      ctx.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  })
  .optional();

const mailFrom = z
  .string()
  .transform((text, ctx): Sender => {
    const sender = parseSender(text);
    if (sender) return sender;
    ctx.addIssue({
      code: "custom",
      message: "must be one address, such as no-reply@example.com or Acme <no-reply@example.com>",
    });
    return z.NEVER;
  })
  .default(DEFAULT_SENDER);

export const mailSettings = defineSettings({
  smtp_url: {
    schema: smtpUrl,
    secret: true,
    doc: "The mail server: smtp://user:password@host:587 (STARTTLS), or smtps://user:password@host (TLS from the start).",
  },
  smtp_password: {
    schema: setting.optionalText(),
    secret: true,
    doc: "The password of the user in smtp_url, unencoded, to keep it out of the URL.",
  },
  smtp_ca_file: {
    schema: setting.optionalText(),
    doc: "PEM file of certificates to trust for the mail server, besides the well-known ones.",
  },
  smtp_connections: {
    schema: setting.integer(1, 50).default(5),
    doc: "Maximum number of connections to the mail server, and of mails on their way.",
  },
  mail_from: {
    schema: mailFrom,
    shownDefault: "Sallyport <sallyport@localhost>",
    doc: "The sender of mails for tenants without their own sender: Acme <no-reply@example.com>.",
  },
  dkim_selectors: {
    schema: setting.list().default([]),
    doc: "DKIM selectors of the sender domains, for `sallyport doctor`. Your mail provider lists them.",
  },
});

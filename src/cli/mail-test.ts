import { SECOND, toWireTime } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { canonicalEmail, emailProblem } from "../core/email.ts";
import { newId } from "../core/ids.ts";
import { SmtpTransport, smtpOptions } from "../mail/smtp.ts";
import { MailRefused } from "../mail/transport.ts";
import { storageSettings } from "../storage/settings.ts";
import { type Command, CommandError, configFlag, dataFlag, jsonFlag, textFlag, UsageError } from "./command.ts";
import { cliSettings } from "./instance.ts";
import { languageNamed, templateFlags } from "./mail-template-named.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

/** Milliseconds for the whole delivery. */
const PATIENCE = 60 * SECOND;

export const mailTest: Command = {
  name: "mail test",
  summary: "Send a test mail now, and show the answer of the mail server.",
  flags: {
    to: { type: "string", value: "ADDRESS", doc: "Recipient." },
    ...templateFlags,
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  settings: {
    ...storageSettings,
    smtp_url: cliSettings.smtp_url,
    smtp_password: cliSettings.smtp_password,
    smtp_ca_file: cliSettings.smtp_ca_file,
    mail_from: cliSettings.mail_from,
  },
  examples: ["sallyport mail test --to you@example.com"],
  run: (context) => {
    const given = textFlag(context, "to");
    const to = canonicalEmail(given)?.address;
    if (to === undefined) {
      throw new UsageError(
        given === undefined ? "Name a recipient with --to ADDRESS." : `--to ${given} ${emailProblem(given)}.`,
      );
    }
    const language = languageNamed(context);
    return withIdentity(context, async ({ storage, clock, directory, outbox }, { settings }) => {
      const options = smtpOptions(settings, settings.public_url);
      if (options === null) {
        throw new ConfigError(
          "smtp_url is not set. Set SALLYPORT_SMTP_URL_FILE or SALLYPORT_SMTP_URL to the URL of your mail server.",
        );
      }
      const row = await tenantNamed(storage.read, textFlag(context, "tenant") ?? "default");
      const tenant = await directory.tenant(row.id);
      if (tenant === null) throw new CommandError(`There is no tenant ${row.slug}.`);
      const values = { time: `${toWireTime(clock.now()).slice(0, 16).replace("T", " ")} UTC` };
      const order = { tenant, to, template: "test", values, languages: language } as const;
      const mail = await outbox.write(storage.read, order, newId(clock.now()));
      const transport = new SmtpTransport(options);
      try {
        const answer = await transport.send(mail, AbortSignal.timeout(PATIENCE));
        const sender = mail.from.name === "" ? mail.from.address : `${mail.from.name} <${mail.from.address}>`;
        if (context.flags.json) context.print(JSON.stringify({ status: "sent", from: sender, to, answer }));
        else context.print(`Sent from ${sender} to ${to}. The server answered: ${answer}`);
        return 0;
      } catch (error) {
        if (!(error instanceof MailRefused)) throw error;
        throw new CommandError(
          `The server refused the mail: ${error.message}. \`sallyport doctor\` checks the connection and the sender's domain.`,
        );
      } finally {
        await transport.close();
      }
    });
  },
};

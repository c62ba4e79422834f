import { isIP } from "node:net";
import { SECOND } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { domainOf, parseSender } from "../mail/sender.ts";
import { lookUpDomain, type SenderDomain } from "../mail/sender-domain.ts";
import { DEFAULT_SENDER } from "../mail/settings.ts";
import { SmtpTransport, smtpOptions } from "../mail/smtp.ts";
import { isLocal, type SmtpServer } from "../mail/smtp-url.ts";
import { MailRefused } from "../mail/transport.ts";
import { UsageError } from "./command.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { CliSettings } from "./instance.ts";

/** Milliseconds for each DNS query. */
const DNS_PATIENCE = 3 * SECOND;
const MAX_SPF_LOOKUPS = 10;
/** The maximum number of domains to check. */
const MAX_DOMAINS = 20;

/** The SPF include that a domain needs for each mail provider. */
const PROVIDERS: readonly [host: RegExp, include: string][] = [
  [/(^|\.)(smtp|smtp-relay)\.(gmail|google)\.com$/, "_spf.google.com"],
  [/(^|\.)email-smtp\.[a-z0-9-]+\.amazonaws\.com$/, "amazonses.com"],
  [/(^|\.)sendgrid\.net$/, "sendgrid.net"],
  [/(^|\.)mailgun\.org$/, "mailgun.org"],
  [/(^|\.)postmarkapp\.com$/, "spf.mtasv.net"],
  [/(^|\.)(office365|outlook)\.com$/, "spf.protection.outlook.com"],
  [/(^|\.)mailjet\.com$/, "spf.mailjet.com"],
  [/(^|\.)(messagingengine|fastmail)\.com$/, "spf.messagingengine.com"],
];

/** Checks the mail server and the DNS records of the sender domains. Sends no mail. */
export async function checkMail(
  settings: CliSettings,
  tenantSenders: readonly string[],
  dnsServers: readonly string[],
): Promise<Finding[]> {
  const { smtp_url: server, mail_from: from } = settings;
  if (server === undefined) {
    const fix = "Set SALLYPORT_SMTP_URL_FILE (or SALLYPORT_SMTP_URL) to smtp://user:password@host:587, and mail_from.";
    return [warning("mail server", "smtp_url is not set: links, codes and notices wait until they expire.", fix)];
  }
  const findings = await checkServer(settings, server);
  if (from.address === DEFAULT_SENDER.address) {
    const fix = "Set mail_from to an address of your own domain, such as 'Acme <no-reply@example.com>'.";
    findings.push(error("sender", `mail_from is not set: mail servers refuse ${from.address}.`, fix));
  }
  const senders = [from, ...tenantSenders.map((text) => parseSender(text))].flatMap((sender) => sender ?? []);
  const domains = [...new Set(senders.map(({ address }) => domainOf(address)))].filter((name) => name !== "localhost");
  const resolver = await resolverOf(dnsServers);
  for (const domain of domains.slice(0, MAX_DOMAINS)) {
    try {
      findings.push(...domainFindings(domain, await lookUpDomain(resolver, domain, settings.dkim_selectors), settings));
    } catch (thrown) {
      const code = (thrown as { code?: unknown }).code ?? (thrown as Error).message;
      const fix = "Check the machine's name servers, or name one with --dns-server 1.1.1.1.";
      findings.push(warning("sender", `DNS does not answer for ${domain} (${String(code)}).`, fix));
    }
  }
  return findings;
}

/** @throws UsageError unless each server is an IP address */
async function resolverOf(servers: readonly string[]) {
  const { Resolver } = await import("node:dns/promises");
  const resolver = new Resolver({ timeout: DNS_PATIENCE, tries: 2 });
  for (const server of servers) {
    const host = /^\[(.+)\](?::\d+)?$/.exec(server)?.[1] ?? (isIP(server) ? server : server.replace(/:\d+$/, ""));
    if (!isIP(host)) throw new UsageError(`--dns-server ${server}: use an IP address, such as 1.1.1.1 or 1.1.1.1:53.`);
  }
  if (servers.length > 0) resolver.setServers([...servers]);
  return resolver;
}

async function checkServer(settings: CliSettings, server: SmtpServer): Promise<Finding[]> {
  const check = "mail server";
  const at = `${server.host}:${server.port}`;
  const findings: Finding[] = [];
  if (server.tls === "off" && !isLocal(server.host)) {
    const what = server.user === null ? "Mails" : "The password and mails";
    const fix = "Remove tls=off from smtp_url.";
    findings.push(warning(check, `${what} go to ${at} unencrypted: the network can read links and codes.`, fix));
  }
  if (server.tls === "optional") {
    const fix = "Remove tls=optional from smtp_url.";
    findings.push(warning(check, `An attacker between here and ${at} can switch the encryption off.`, fix));
  }
  let transport: SmtpTransport | null = null;
  try {
    const options = smtpOptions(settings, settings.public_url);
    if (options === null) return findings;
    transport = new SmtpTransport(options);
    await transport.verify();
    const how = { implicit: "encrypted", required: "encrypted (STARTTLS)", optional: "open", off: "unencrypted" };
    const who = server.user === null ? "without signing in" : "signed in";
    findings.push(ok(check, `${at} answers, ${how[server.tls]}, ${who}.`));
  } catch (thrown) {
    if (thrown instanceof ConfigError) findings.push(error(check, thrown.message, "Fix the setting."));
    else if (thrown instanceof MailRefused)
      findings.push(error(check, `${at}: ${thrown.message}.`, fixOf(thrown, server)));
    else throw thrown;
  } finally {
    await transport?.close();
  }
  return findings;
}

function fixOf(refused: MailRefused, { port, tls }: SmtpServer): string {
  const code = String((refused.cause as { code?: unknown } | undefined)?.code ?? "");
  const said = `${code} ${refused.message}`;
  if (/EAUTH|\b53[0458]\b/.test(said)) {
    return "Check user and password in smtp_url. Many providers need a separate password for programs (app password, API key).";
  }
  if (/ENOTFOUND|EDNS|EAI_AGAIN/.test(said)) return "Check the host in smtp_url and this machine's name servers.";
  if (/certificate|CERT|self.signed|ALTNAME|UNABLE_TO/i.test(said)) {
    return "Use the host name in the certificate. For your own CA, set smtp_ca_file to its certificate.";
  }
  if (/ECONNREFUSED/.test(said)) return "No server listens there: check host and port (587, or 465 with smtps://).";
  if (/STARTTLS/i.test(said)) {
    return "The server offers no encryption: use smtps:// on port 465, or ?tls=off inside your own network.";
  }
  if (tls === "implicit" && port !== 465) return "smtps:// begins with TLS. Write smtp:// for port 587 or 25.";
  if (/ETIMEDOUT|greeting/i.test(said)) {
    return "Check host, port and firewalls. Many clouds block port 25; use 587 or 465.";
  }
  return "Check smtp_url. `sallyport mail test --to ADDRESS` shows the answer of the server to a mail.";
}

function domainFindings(domain: string, found: SenderDomain, settings: CliSettings): Finding[] {
  return [
    spfFinding(domain, found, settings.smtp_url?.host ?? ""),
    dkimFinding(domain, found, settings),
    dmarcFinding(domain, found),
  ];
}

export function spfFinding(
  domain: string,
  found: Pick<SenderDomain, "spf" | "spfIncludes" | "spfLookups">,
  host: string,
): Finding {
  const { spf, spfIncludes, spfLookups } = found;
  const include = PROVIDERS.find(([pattern]) => pattern.test(host))?.[1];
  const source = include ? `include:${include}` : isIP(host) ? `ip${isIP(host)}:${host}` : `a:${host}`;
  const publish = `Publish at ${domain}, as TXT: "v=spf1 ${source} ~all"${include ? "" : " (or the record that your mail provider gives)"}.`;
  const [record] = spf;
  if (record === undefined) return warning("SPF", `${domain} does not name its mail servers.`, publish);
  if (spf.length > 1) {
    const fix = `Merge them into one TXT record at ${domain} that begins with v=spf1.`;
    return warning("SPF", `${domain} has ${spf.length} SPF records, so receivers ignore all of them.`, fix);
  }
  if (/(^|\s)\+?all(\s|$)/i.test(record)) {
    return warning(
      "SPF",
      `${domain} lets every server send for it ("${record}").`,
      "End the record with ~all or -all.",
    );
  }
  if (spfLookups > MAX_SPF_LOOKUPS) {
    const fix = `Remove unused parts from the TXT record at ${domain}.`;
    return warning(
      "SPF",
      `The record of ${domain} needs more than ${MAX_SPF_LOOKUPS} lookups, so receivers give up.`,
      fix,
    );
  }
  if (include !== undefined && !spfIncludes.has(include)) {
    const fix = `Add include:${include} to the TXT record at ${domain}: "${record.replace(/\s+([~?-]?all)\b/i, ` include:${include} $1`)}".`;
    return warning("SPF", `The record of ${domain} does not name the provider of ${host}.`, fix);
  }
  return ok("SPF", `${domain}: "${record}".`);
}

function dkimFinding(domain: string, { dkim, dkimMissing }: SenderDomain, settings: CliSettings): Finding {
  const [missing] = dkimMissing;
  if (missing !== undefined) {
    const fix = `Publish at ${missing}._domainkey.${domain}, as TXT (or as the CNAME that it names), the key that your mail provider shows for ${domain}.`;
    return warning("DKIM", `${domain} has no valid key ${missing}.`, fix);
  }
  if (dkim.length > 0) return ok("DKIM", `${domain} has ${dkim.join(", ")}.`);
  const said = settings.dkim_selectors.length === 0 ? "under the usual names" : "";
  const fix =
    `Switch DKIM on at your mail provider for ${domain}, publish at <selector>._domainkey.${domain} the record that it shows ` +
    `("v=DKIM1; k=rsa; p=…"), and set dkim_selectors to its selector.`;
  return warning("DKIM", `Found no key of ${domain} ${said}.`.replace(" .", "."), fix);
}

function dmarcFinding(domain: string, { dmarc }: SenderDomain): Finding {
  const publish = `Publish at _dmarc.${domain}, as TXT: "v=DMARC1; p=none; rua=mailto:postmaster@${domain}"; change to p=quarantine when the reports are good.`;
  if (dmarc === null) return warning("DMARC", `${domain} has no policy, so large providers refuse its mail.`, publish);
  const { record, policy, domain: at } = dmarc;
  if (policy === null || !["none", "quarantine", "reject"].includes(policy)) {
    return warning("DMARC", `The record at _dmarc.${at} has no known policy ("${record}").`, publish);
  }
  return ok("DMARC", `${domain}: p=${policy}${at === domain ? "" : ` (of ${at})`}.`);
}

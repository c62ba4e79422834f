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

/** ms */
const DNS_PATIENCE = 3 * SECOND;
const MAX_SPF_LOOKUPS = 10;
/** Domains that are looked at, at most. */
const MAX_DOMAINS = 20;

/** What the records of a domain must take in for mail that goes through these servers. */
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

/** The mail server, and what DNS says of the domains that mails come from. Sends nothing. */
export async function checkMail(
  settings: CliSettings,
  tenantSenders: readonly string[],
  dnsServers: readonly string[],
): Promise<Finding[]> {
  const { smtp_url: server, mail_from: from } = settings;
  if (server === undefined) {
    const fix = "Set SALLYPORT_SMTP_URL_FILE (or SALLYPORT_SMTP_URL) to smtp://user:password@host:587, and mail_from.";
    return [warning("mail server", "No smtp_url is set: links, codes and notices wait, and expire.", fix)];
  }
  const findings = await checkServer(settings, server);
  if (from.address === DEFAULT_SENDER.address) {
    const fix = "Set mail_from to an address of a domain of yours: 'Acme <no-reply@example.com>'.";
    findings.push(error("sender", `mail_from is not set: ${from.address} is refused by mail servers.`, fix));
  }
  const senders = [from, ...tenantSenders.map((text) => parseSender(text))].flatMap((sender) => sender ?? []);
  const domains = [...new Set(senders.map(({ address }) => domainOf(address)))].filter((name) => name !== "localhost");
  const resolver = await resolverOf(dnsServers);
  for (const domain of domains.slice(0, MAX_DOMAINS)) {
    try {
      findings.push(...domainFindings(domain, await lookUpDomain(resolver, domain, settings.dkim_selectors), settings));
    } catch (thrown) {
      const code = (thrown as { code?: unknown }).code ?? (thrown as Error).message;
      const fix = "Look at the machine's name servers, or name one with --dns-server 1.1.1.1.";
      findings.push(warning("sender", `DNS does not answer for ${domain} (${String(code)}).`, fix));
    }
  }
  return findings;
}

/** @throws UsageError for what is no address */
async function resolverOf(servers: readonly string[]) {
  const { Resolver } = await import("node:dns/promises");
  const resolver = new Resolver({ timeout: DNS_PATIENCE, tries: 2 });
  for (const server of servers) {
    const host = /^\[(.+)\](?::\d+)?$/.exec(server)?.[1] ?? (isIP(server) ? server : server.replace(/:\d+$/, ""));
    if (!isIP(host)) throw new UsageError(`--dns-server ${server}: give an IP address, such as 1.1.1.1 or 1.1.1.1:53.`);
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
    const fix = "Leave tls=off out of smtp_url.";
    findings.push(warning(check, `${what} go to ${at} unencrypted: links and codes can be read on the way.`, fix));
  }
  if (server.tls === "optional") {
    const fix = "Leave tls=optional out of smtp_url.";
    findings.push(warning(check, `Whoever stands between here and ${at} can switch the encryption off.`, fix));
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
    if (thrown instanceof ConfigError) findings.push(error(check, thrown.message, "Mend the setting."));
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
    return "Check user and password in smtp_url; many providers want a password of its own for programs (app password, API key).";
  }
  if (/ENOTFOUND|EDNS|EAI_AGAIN/.test(said)) return "Check the host in smtp_url, and this machine's name servers.";
  if (/certificate|CERT|self.signed|ALTNAME|UNABLE_TO/i.test(said)) {
    return "Use the host name that the certificate is for; for a CA of your own, name its certificate with smtp_ca_file.";
  }
  if (/ECONNREFUSED/.test(said)) return "Nothing listens there: check host and port (587, or 465 with smtps://).";
  if (/STARTTLS/i.test(said)) {
    return "The server offers no encryption: use smtps:// on port 465, or, inside a network of your own, ?tls=off.";
  }
  if (tls === "implicit" && port !== 465) return "smtps:// is TLS from the start; on port 587 or 25 write smtp://.";
  if (/ETIMEDOUT|greeting/i.test(said)) {
    return "Check host and port, and that no firewall is in between: many clouds close 25; 587 and 465 are open.";
  }
  return "Check smtp_url; `sallyport mail test --to ADDRESS` tells what the server says of a mail.";
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
  const publish = `Publish at ${domain}, as TXT: "v=spf1 ${source} ~all"${include ? "" : " (or what your mail provider says)"}.`;
  const [record] = spf;
  if (record === undefined) return warning("SPF", `${domain} does not say who may send for it.`, publish);
  if (spf.length > 1) {
    const fix = `Leave one TXT record that begins with v=spf1 at ${domain}, with the parts of all of them.`;
    return warning("SPF", `${domain} has ${spf.length} SPF records, and receivers take none then.`, fix);
  }
  if (/(^|\s)\+?all(\s|$)/i.test(record)) {
    return warning(
      "SPF",
      `${domain} lets the whole world send for it ("${record}").`,
      "End the record with ~all or -all.",
    );
  }
  if (spfLookups > MAX_SPF_LOOKUPS) {
    const fix = `Take parts out of the TXT record at ${domain} that nobody uses any more.`;
    return warning(
      "SPF",
      `The record of ${domain} takes more than ${MAX_SPF_LOOKUPS} lookups: receivers give up.`,
      fix,
    );
  }
  if (include !== undefined && !spfIncludes.has(include)) {
    const fix = `Put include:${include} into the TXT record at ${domain}: "${record.replace(/\s+([~?-]?all)\b/i, ` include:${include} $1`)}".`;
    return warning("SPF", `The record of ${domain} does not name ${host}'s provider.`, fix);
  }
  return ok("SPF", `${domain}: "${record}".`);
}

function dkimFinding(domain: string, { dkim, dkimMissing }: SenderDomain, settings: CliSettings): Finding {
  const [missing] = dkimMissing;
  if (missing !== undefined) {
    const fix = `Publish at ${missing}._domainkey.${domain}, as TXT (or as the CNAME that it names), the key that your mail provider shows for ${domain}.`;
    return warning("DKIM", `${domain} has no key ${missing} in force.`, fix);
  }
  if (dkim.length > 0) return ok("DKIM", `${domain} has ${dkim.join(", ")}.`);
  const said = settings.dkim_selectors.length === 0 ? "under any of the usual names" : "";
  const fix =
    `Switch DKIM on at your mail provider for ${domain}, publish at <selector>._domainkey.${domain} the record that it shows ` +
    `("v=DKIM1; k=rsa; p=…"), and set dkim_selectors to its selector.`;
  return warning("DKIM", `No key of ${domain} was found ${said}.`.replace(" .", "."), fix);
}

function dmarcFinding(domain: string, { dmarc }: SenderDomain): Finding {
  const publish = `Publish at _dmarc.${domain}, as TXT: "v=DMARC1; p=none; rua=mailto:postmaster@${domain}"; when the reports are good, p=quarantine.`;
  if (dmarc === null) return warning("DMARC", `${domain} has no policy: large providers refuse its mail.`, publish);
  const { record, policy, domain: at } = dmarc;
  if (policy === null || !["none", "quarantine", "reject"].includes(policy)) {
    return warning("DMARC", `The record at _dmarc.${at} has no policy that is known ("${record}").`, publish);
  }
  return ok("DMARC", `${domain}: p=${policy}${at === domain ? "" : ` (of ${at})`}.`);
}

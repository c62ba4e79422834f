import { settings as appSettings } from "../app.ts";
import { SECOND, systemClock } from "../core/clock.ts";
import { shownSettings } from "../core/shown-settings.ts";
import type { MasterKeys } from "../crypto/master-key.ts";
import { REPORT_PATH, reportToken, type SelfReport } from "../http/self-report.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { CliSettings } from "./instance.ts";
import { describeFault } from "./network-faults.ts";
import { FEW_DESCRIPTORS } from "./warnings.ts";

/** Milliseconds for each request. */
const PATIENCE = 5 * SECOND;

/** Asks the running server about itself: by the port, and by the public URL as its clients do. */
export async function checkRunning(
  settings: CliSettings,
  masterKeys: MasterKeys | null,
  reach: { local: string | null; publicUrl: string; isPublic: boolean },
): Promise<Finding[]> {
  if (reach.local === null || masterKeys === null) return [];
  const host = new URL(reach.publicUrl).host;
  const report = await askReport(reach.local, masterKeys, host);
  if (typeof report === "string") {
    const fix = "Restart it, so that it runs the release of this command with this master key.";
    return [warning("server", `The running server does not report on itself: ${report}.`, fix)];
  }
  const findings = [
    settingsFinding(settings, report, reach.publicUrl),
    writeFinding(report),
    descriptorsFinding(report),
  ];
  if (report.mails.dead > 0) {
    const fix = "See `sallyport mail list`, and send them again with `sallyport mail retry`.";
    findings.push(warning("mails", `${report.mails.dead} mails could not be delivered since the server started.`, fix));
  }
  if (reach.isPublic) {
    const seen = await askReport(reach.publicUrl, masterKeys);
    if (typeof seen !== "string") findings.push(clientFinding(seen));
    findings.push(await checkStream(reach.publicUrl));
  }
  return findings.filter((finding) => finding !== null);
}

async function askReport(base: string, masterKeys: MasterKeys, host?: string): Promise<SelfReport | string> {
  try {
    const response = await fetch(`${base}${REPORT_PATH}`, {
      signal: AbortSignal.timeout(PATIENCE),
      redirect: "manual",
      headers: {
        authorization: `Bearer ${reportToken(masterKeys, systemClock.now())}`,
        ...(host === undefined ? {} : { host }),
      },
    });
    return response.status === 200 ? ((await response.json()) as SelfReport) : `it answers HTTP ${response.status}`;
  } catch (thrown) {
    return describeFault(thrown);
  }
}

function settingsFinding(settings: CliSettings, report: SelfReport, publicUrl: string): Finding {
  const check = "server";
  if (report.is_dev) return ok(check, `\`sallyport dev\` runs here (${report.version}).`);
  const mine: Record<string, string | null> = {
    ...shownSettings(appSettings, settings),
    public_url: publicUrl,
    port: report.settings.port ?? null,
  };
  const other = Object.keys(mine).filter((key) => key in report.settings && report.settings[key] !== mine[key]);
  if (other.length === 0) return ok(check, `It runs ${report.version} with these settings.`);
  const list = other.map((key) => `${key} is ${report.settings[key] ?? "not set"}, here ${mine[key] ?? "not set"}`);
  const fix = "Restart the server if a setting was changed. Otherwise give doctor the settings that `serve` gets.";
  return warning(check, `The running server has other settings: ${list.join("; ")}.`, fix);
}

function writeFinding({ write_fault: fault }: SelfReport): Finding {
  if (fault === null) return ok("writes", "The server has just written to its database.");
  return error("writes", `The server cannot write: ${fault}.`, "Free space or mend the database; the log says more.");
}

function descriptorsFinding({ descriptors }: SelfReport): Finding | null {
  if (descriptors === null || descriptors.limit === null) return null;
  const { open, limit } = descriptors;
  const text = `The server has ${open} of ${limit} file descriptors open.`;
  if (limit >= FEW_DESCRIPTORS && open < limit * 0.8) return ok("descriptors", text);
  return warning(
    "descriptors",
    text,
    "Each connection takes one. Raise the limit: LimitNOFILE=65536 in the systemd unit.",
  );
}

function clientFinding({ client, settings }: SelfReport): Finding {
  const check = "client address";
  const { address, peer, is_trusted: isTrusted, has_header: hasHeader, unreadable } = client;
  const header = settings.client_address_header ?? "x-forwarded-for";
  if (unreadable !== null) {
    const message = `The proxy names clients in ${header} in a form that is not an address: ${JSON.stringify(unreadable)}.`;
    return warning(check, message, "Let the proxy write IP addresses, or set client_address_header to another header.");
  }
  if (hasHeader && !isTrusted) {
    const message = `A proxy at ${peer} is not trusted, so all its clients count as one and share their limits.`;
    return warning(check, message, `Add ${peer} to trusted_proxies.`);
  }
  if (isTrusted && !hasHeader) {
    const message = `The trusted proxy at ${peer} names no client in ${header}, so all its clients count as one.`;
    return warning(
      check,
      message,
      "Let the proxy set that header, or set client_address_header to the one that it sets.",
    );
  }
  return ok(check, `The server sees this machine as ${address}.`);
}

/** Waits for the first bytes of the event stream, which a proxy that buffers answers holds back. */
async function checkStream(publicUrl: string): Promise<Finding> {
  const check = "event stream";
  const started = performance.now();
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), PATIENCE);
  try {
    const response = await fetch(`${publicUrl}/v1/revocations/stream`, { signal: ending.signal });
    if (response.status !== 200) {
      const fix = "Let the proxy forward this path unchanged. Verifiers poll meanwhile, every few seconds.";
      return warning(check, `The event stream of revocations answers HTTP ${response.status}.`, fix);
    }
    const first = await response.body?.getReader().read();
    if (first?.done !== false) throw new Error("no event");
    return ok(check, `The first event came after ${Math.round(performance.now() - started)} ms.`);
  } catch {
    const fix = "Turn off the proxy's buffering of answers for /v1/revocations/stream (nginx: proxy_buffering off).";
    return warning(check, `The event stream of revocations brings nothing within ${PATIENCE / SECOND} s.`, fix);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

import { MINUTE, SECOND, systemClock, toWireTime } from "../core/clock.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { CliSettings } from "./instance.ts";
import { describeFault } from "./network-faults.ts";

/** Milliseconds for each request. */
const PATIENCE = 5 * SECOND;
/** A path of the tenant, because its handlers check the Host. The address at the root answers any Host. */
const JWKS = "/t/default/oauth2/jwks";
/** 2026-01-01: a correct clock never shows an earlier time. */
const RELEASED = Date.UTC(2026, 0, 1);

/** Checks the clock. Tokens, limits and sessions depend on it; a clock that was set back revives what has expired. */
export function checkClock(now: number, newestAt: number | null): Finding {
  const fix = "Set the machine's clock, and synchronise it with NTP.";
  if (now < RELEASED) return error("clock", `It shows ${toWireTime(now)}, which is in the past.`, fix);
  if (newestAt !== null && newestAt > now + MINUTE) {
    const message = `It shows ${toWireTime(now)}, but an entry was written at ${toWireTime(newestAt)}.`;
    return error("clock", message, fix);
  }
  return ok("clock", `It shows ${toWireTime(now)}.`);
}

type Answer =
  | { kind: "ours" | "foreign" | "other-instance"; status: number; date: string | null }
  | { kind: "silent"; reason: string };

/** The addresses by which this instance answers. */
export interface Reach {
  /** null if this instance does not answer on its port. */
  local: string | null;
  publicUrl: string;
  /** Whether the public URL leads to this instance. */
  isPublic: boolean;
}

/** Checks which program holds the port, and whether the public URL leads to this instance. */
export async function checkNetwork(
  settings: CliSettings,
  keyIds: ReadonlySet<string>,
): Promise<{ findings: Finding[]; reach: Reach }> {
  const { host, port, public_url: publicUrl } = settings;
  const findings: Finding[] = [];
  const listening = ["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = publicUrl ?? `http://localhost:${port}`;
  const base = `http://${listening}:${port}`;
  const local = port === 0 ? undefined : await ask(base, keyIds, new URL(url).host);
  const reach: Reach = { local: local?.kind === "ours" ? base : null, publicUrl: url, isPublic: false };
  findings.push(portFinding(port, local));
  if (publicUrl === undefined) {
    const fix = "Set public_url before production: it is the issuer of every token.";
    return {
      findings: [...findings, warning("public URL", `public_url is not set; tokens are issued for ${url}.`, fix)],
      reach,
    };
  }
  const answer = await ask(publicUrl, keyIds);
  findings.push(...publicFindings(publicUrl, local, answer));
  return { findings, reach: { ...reach, isPublic: answer.kind === "ours" } };
}

function portFinding(port: number, answer: Answer | undefined): Finding {
  if (answer === undefined) return ok("port", "The system chooses a free port.");
  switch (answer.kind) {
    case "silent":
      if (/timed? ?out/i.test(answer.reason)) {
        return error(
          "port",
          `Something listens on ${port} and does not answer.`,
          "Find the program that holds the port, and stop it.",
        );
      }
      return ok("port", `${port} is free: the server is not running.`);
    case "ours":
      return ok("port", `This instance answers on ${port}.`);
    case "other-instance":
      return error("port", `Another Sallyport instance answers on ${port}.`, "Stop it, or choose another port.");
    case "foreign":
      if (answer.status === 421) {
        const message = `A server on ${port} does not know the host of the public URL.`;
        return warning("port", message, "Restart the server if public_url was changed. Otherwise choose another port.");
      }
      return error("port", `Another program answers on ${port} (HTTP ${answer.status}).`, "Choose another port.");
  }
}

function publicFindings(publicUrl: string, local: Answer | undefined, answer: Answer): Finding[] {
  const check = "public URL";
  if (answer.kind === "silent") {
    const message = `This machine cannot reach ${publicUrl}: ${answer.reason}.`;
    if (local?.kind !== "ours") return [warning(check, message, "Start the server, and check again.")];
    return [error(check, message, "Check DNS, the proxy and its certificate.")];
  }
  if (answer.kind === "foreign") {
    const fix =
      answer.status === 421
        ? "Configure the proxy to keep the Host header."
        : `Configure the proxy to forward every path unchanged, ${JWKS} too.`;
    return [error(check, `Sallyport does not answer at ${publicUrl}${JWKS} (HTTP ${answer.status}).`, fix)];
  }
  if (answer.kind === "other-instance") {
    const fix = "Point the proxy at this instance, or name the right data with --data.";
    return [error(check, `${publicUrl} leads to another Sallyport instance, which has other keys.`, fix)];
  }
  const findings = [ok(check, `${publicUrl} leads to this instance.`)];
  const theirs = answer.date === null ? Number.NaN : Date.parse(answer.date);
  const off = Math.abs(theirs - systemClock.now());
  if (off > 30 * SECOND) {
    const message = `The clock of ${publicUrl} differs by ${Math.round(off / SECOND)} s.`;
    findings.push(warning("clock", message, "Synchronise the clocks of both machines with NTP."));
  }
  return findings;
}

/** Fetches the keys of the default tenant: a server that publishes a key of this instance is this instance. */
async function ask(base: string, keyIds: ReadonlySet<string>, host?: string): Promise<Answer> {
  try {
    const response = await fetch(`${base}${JWKS}`, {
      signal: AbortSignal.timeout(PATIENCE),
      redirect: "manual",
      ...(host === undefined ? {} : { headers: { host } }),
    });
    const facts = { status: response.status, date: response.headers.get("date") };
    const kids = kidsOf(await response.text());
    if (response.status !== 200 || kids === undefined) return { kind: "foreign", ...facts };
    return { kind: kids.some((kid) => keyIds.has(kid)) ? "ours" : "other-instance", ...facts };
  } catch (thrown) {
    return { kind: "silent", reason: describeFault(thrown) };
  }
}

function kidsOf(body: string): string[] | undefined {
  try {
    const { keys } = JSON.parse(body) as { keys?: { kid?: unknown }[] };
    return Array.isArray(keys) ? keys.map((key) => String(key.kid)) : undefined;
  } catch {
    return undefined;
  }
}

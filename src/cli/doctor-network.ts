import { MINUTE, SECOND, systemClock, toWireTime } from "../core/clock.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { CliSettings } from "./instance.ts";

/** ms */
const PATIENCE = 5 * SECOND;
/** Under the tenant's path handlers answer, which look at the Host; the address at the root answers whatever it is. */
const JWKS = "/t/default/oauth2/jwks";
/** 2026-01-01: no clock that is right can tell an earlier time. */
const RELEASED = Date.UTC(2026, 0, 1);

/** Tokens, limits and sessions go by the clock; one that was set back makes what has expired valid. */
export function checkClock(now: number, newestAt: number | null): Finding {
  const fix = "Set the machine's clock, and keep it by NTP.";
  if (now < RELEASED) return error("clock", `It says ${toWireTime(now)}, which is long past.`, fix);
  if (newestAt !== null && newestAt > now + MINUTE) {
    const message = `It says ${toWireTime(now)}, but an entry was written at ${toWireTime(newestAt)}.`;
    return error("clock", message, fix);
  }
  return ok("clock", `It says ${toWireTime(now)}.`);
}

type Answer =
  | { kind: "ours" | "foreign" | "other-instance"; status: number; date: string | null }
  | { kind: "silent"; reason: string };

/** Who holds the port, and whether the public URL leads here. */
export async function checkNetwork(settings: CliSettings, keyIds: ReadonlySet<string>): Promise<Finding[]> {
  const { host, port, public_url: publicUrl } = settings;
  const findings: Finding[] = [];
  const listening = ["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  const url = publicUrl ?? `http://localhost:${port}`;
  const local = port === 0 ? undefined : await ask(`http://${listening}:${port}`, keyIds, new URL(url).host);
  findings.push(portFinding(port, local));
  if (publicUrl === undefined) {
    const fix = "Set public_url before others use it: it is the issuer of every token.";
    return [...findings, warning("public URL", `None is set; tokens are issued for ${url}.`, fix)];
  }
  return [...findings, ...publicFindings(publicUrl, local, await ask(publicUrl, keyIds))];
}

function portFinding(port: number, answer: Answer | undefined): Finding {
  if (answer === undefined) return ok("port", "The system chooses a free one.");
  switch (answer.kind) {
    case "silent":
      if (/timed? ?out|abort/i.test(answer.reason)) {
        return error("port", `Something listens on ${port} and does not answer.`, "Look at what holds the port.");
      }
      return ok("port", `${port} is free: the server does not run.`);
    case "ours":
      return ok("port", `This instance answers on ${port}.`);
    case "other-instance":
      return error("port", `Another Sallyport instance answers on ${port}.`, "Stop it, or give another port.");
    case "foreign":
      if (answer.status === 421) {
        const message = `A server on ${port} does not know the host of the public URL.`;
        return warning("port", message, "Restart the server if public_url was changed; else give another port.");
      }
      return error("port", `Another program answers on ${port} (HTTP ${answer.status}).`, "Give another port.");
  }
}

function publicFindings(publicUrl: string, local: Answer | undefined, answer: Answer): Finding[] {
  const check = "public URL";
  if (answer.kind === "silent") {
    const message = `${publicUrl} cannot be reached from here: ${answer.reason}.`;
    if (local?.kind !== "ours") return [warning(check, message, "Start the server, and look again.")];
    return [error(check, message, "Look at DNS, the proxy and its certificate.")];
  }
  if (answer.kind === "foreign") {
    const fix =
      answer.status === 421
        ? "Let the proxy pass the Host header on as it came."
        : `Let the proxy pass everything on, ${JWKS} too, without changing the path.`;
    return [error(check, `${publicUrl}${JWKS} is not answered by Sallyport (HTTP ${answer.status}).`, fix)];
  }
  if (answer.kind === "other-instance") {
    const fix = "Point the proxy at this instance, or name the right data with --data.";
    return [error(check, `${publicUrl} leads to another Sallyport instance: it has other keys.`, fix)];
  }
  const findings = [ok(check, `${publicUrl} leads to this instance.`)];
  const theirs = answer.date === null ? Number.NaN : Date.parse(answer.date);
  const off = Math.abs(theirs - systemClock.now());
  if (off > 30 * SECOND) {
    const message = `The clock of ${publicUrl} differs by ${Math.round(off / SECOND)} s.`;
    findings.push(warning("clock", message, "Keep both machines' clocks by NTP."));
  }
  return findings;
}

/** Asks for the keys of the default tenant: who publishes one of ours is this instance. */
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
    const { name, code, message } = thrown as { name?: string; code?: string; message?: string };
    return { kind: "silent", reason: name === "TimeoutError" ? "it timed out" : (code ?? message ?? "no answer") };
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

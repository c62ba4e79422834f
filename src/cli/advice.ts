import { hostnameOf } from "../core/own-hosts.ts";
import { isLocal } from "../mail/smtp-url.ts";
import type { CliSettings } from "./instance.ts";

export interface Advice {
  problem: string;
  fix: string;
}

/** Warns of unwise ways to expose an instance with these settings. */
export function exposureAdvice(settings: CliSettings): Advice[] {
  const advice: Advice[] = [];
  const { public_url: url, host } = settings;
  if (url === undefined && !isLocal(host)) {
    advice.push({
      problem: `It listens on ${host}, but tokens are issued for http://localhost:${settings.port}, and other hosts are refused.`,
      fix: "Set public_url to the address that clients use.",
    });
  }
  if (url?.startsWith("http:") && !isLocal(new URL(url).hostname)) {
    advice.push({
      problem: `${url} is not encrypted: the network can read passwords and tokens, and cookies are not Secure.`,
      fix: "Put a proxy with TLS in front, and set public_url to its https address.",
    });
  }
  const port = url === undefined ? "" : new URL(url).port;
  const bare = [...settings.tenant_hosts.keys()].find((name) => name === hostnameOf(name));
  if (port !== "" && bare !== undefined) {
    advice.push({
      problem: `public_url has the port ${port}, but the tenant host ${bare} has none, so browsers at ${bare}:${port} are refused.`,
      fix: `Write ${bare}:${port} in tenant_hosts, unless a proxy serves ${bare} at the default port.`,
    });
  }
  if (url?.startsWith("https:") && settings.trusted_proxies.isEmpty) {
    advice.push({
      problem:
        "An https public_url needs a proxy in front, but no proxy is trusted: all its clients share one rate limit.",
      fix: "Set trusted_proxies to the address that the proxy connects from, such as 127.0.0.1.",
    });
  }
  return advice;
}

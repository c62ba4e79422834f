import { configurationError, parseUrl, type SallyportError } from "../../internal/errors.ts";

/** An IPv4 address, or an IPv6 one as `URL` writes it. */
const ADDRESS = /^\[|^\d+(\.\d+){3}$/;

/**
 * Returns true if two addresses are certainly on different *sites* (scheme and registrable domain, whatever the port), so the
 * browser withholds SameSite cookies. To know the public suffixes (`co.uk`) would take a list of thousands. Two hosts with two
 * labels in common may therefore still be different sites; the first refresh shows it.
 */
export function areDifferentSites(one: URL, other: URL): boolean {
  if (one.protocol !== other.protocol) return true;
  if (one.hostname === other.hostname) return false;
  if (ADDRESS.test(one.hostname) || ADDRESS.test(other.hostname)) return true;
  const [a, b] = [one, other].map((url) => url.hostname.split(".").reverse()) as [string[], string[]];
  return a[0] !== b[0] || a[1] !== b[1] || a[1] === undefined;
}

/** Whether browsers block a call because only the page was loaded over https (Mixed Content, section 4). */
export function isMixedContent(pageOrigin: string, url: string): boolean {
  return parseUrl(pageOrigin)?.protocol === "https:" && parseUrl(url)?.protocol === "http:";
}

const ADVICE =
  "Serve both under one domain, such as app.example.com and login.example.com, with the same scheme " +
  "(and on a developer's machine both as localhost).";

/** @throws SallyportError `configuration_error` if the appliance's cookies cannot reach this page */
export function refuseOtherSite(pageOrigin: string, url: string): void {
  const [page, appliance] = [parseUrl(pageOrigin), parseUrl(url)];
  if (page && appliance && !areDifferentSites(page, appliance)) return;
  // The session reports this case itself, so that the page can show it and need not end here.
  if (isMixedContent(pageOrigin, url)) return;
  throw configurationError(
    `The page (${pageOrigin}) and the appliance (${appliance?.origin}) are on different sites, so browsers withhold the ` +
      `appliance's cookies and a session could not be refreshed. ${ADVICE}`,
  );
}

/** The session is alive, but its cookie does not arrive. */
export function cookiesWithheld(pageOrigin: string, url: string): SallyportError {
  return configurationError(
    `The browser does not send the appliance's cookies from ${pageOrigin} to ${parseUrl(url)?.origin}. They are blocked, or ` +
      `the page and the appliance are on different sites. ${ADVICE}`,
  );
}

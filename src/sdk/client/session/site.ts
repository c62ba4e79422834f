import { configurationError, parseUrl, type SallyportError } from "../../internal/errors.ts";

/** An IPv4 address, or an IPv6 one as `URL` writes it. */
const ADDRESS = /^\[|^\d+(\.\d+){3}$/;

/**
 * Whether two addresses are certainly on different *sites* (scheme and registrable domain; the port is no part of it), so
 * that the browser withholds SameSite cookies. Which suffixes are public (`co.uk`) would take a list of thousands: hosts
 * that have two labels in common may still be different sites, which the first refresh then shows.
 */
export function areDifferentSites(one: URL, other: URL): boolean {
  if (one.protocol !== other.protocol) return true;
  if (one.hostname === other.hostname) return false;
  if (ADDRESS.test(one.hostname) || ADDRESS.test(other.hostname)) return true;
  const [a, b] = [one, other].map((url) => url.hostname.split(".").reverse()) as [string[], string[]];
  return a[0] !== b[0] || a[1] !== b[1] || a[1] === undefined;
}

/** Whether browsers keep a page from calling an address because only the page came by https (Mixed Content, section 4). */
export function isMixedContent(pageOrigin: string, url: string): boolean {
  return parseUrl(pageOrigin)?.protocol === "https:" && parseUrl(url)?.protocol === "http:";
}

const ADVICE =
  "Serve both under one domain, such as app.example.com and login.example.com, with the same scheme " +
  "(and on a developer's machine both as localhost).";

/** @throws SallyportError `configuration_error` when the appliance's cookies cannot reach this page */
export function refuseOtherSite(pageOrigin: string, url: string): void {
  const [page, appliance] = [parseUrl(pageOrigin), parseUrl(url)];
  if (page && appliance && !areDifferentSites(page, appliance)) return;
  // The session reports this one, so that the page can show it instead of ending here.
  if (isMixedContent(pageOrigin, url)) return;
  throw configurationError(
    `The page (${pageOrigin}) and the appliance (${appliance?.origin}) are on different sites: browsers withhold its ` +
      `cookies there, and a session could not be refreshed. ${ADVICE}`,
  );
}

/** The session lives, and yet its cookie does not come along. */
export function cookiesWithheld(pageOrigin: string, url: string): SallyportError {
  return configurationError(
    `The browser does not send the appliance's cookies from ${pageOrigin} to ${parseUrl(url)?.origin}: they are blocked, or ` +
      `the two are on different sites. ${ADVICE}`,
  );
}

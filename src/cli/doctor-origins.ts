import { type Finding, warning } from "./finding.ts";

/**
 * Warns of pages on another site, which never send the appliance's cookies (SameSite=Lax) and cannot refresh a session there.
 * The list of public suffixes (`co.uk`) has thousands of entries, so this check finds only certain cases and misses others.
 */
export function checkOrigins(publicUrl: string, origins: readonly string[]): Finding[] {
  const appliance = new URL(publicUrl);
  const foreign = [...new Set(origins)].filter((origin) => isOtherSite(new URL(origin), appliance));
  if (foreign.length === 0) return [];
  const message = `Pages on ${foreign.join(", ")} are on another site than ${publicUrl}, so they cannot refresh sessions.`;
  const fix =
    "Browsers send no cookies across sites. Serve both under one domain and scheme, such as app. and login.example.com.";
  return [warning("origins", message, fix)];
}

const ADDRESS = /^\[|^\d+(\.\d+){3}$/;

function isOtherSite(page: URL, appliance: URL): boolean {
  if (page.protocol !== appliance.protocol) return true;
  if (page.hostname === appliance.hostname) return false;
  if (ADDRESS.test(page.hostname) || ADDRESS.test(appliance.hostname)) return true;
  const lastTwo = (url: URL) => url.hostname.split(".").slice(-2);
  const [a, b] = [lastTwo(page), lastTwo(appliance)];
  return a.length < 2 || a.join(".") !== b.join(".");
}

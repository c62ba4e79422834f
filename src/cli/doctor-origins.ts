import { type Finding, warning } from "./finding.ts";

/**
 * Pages on another site than the appliance never send its cookies (SameSite=Lax), so a session there cannot be refreshed.
 * Which suffixes are public (`co.uk`) takes a list of thousands: what is told here is certain, what is not told may still be.
 */
export function checkOrigins(publicUrl: string, origins: readonly string[]): Finding[] {
  const appliance = new URL(publicUrl);
  const foreign = [...new Set(origins)].filter((origin) => isOtherSite(new URL(origin), appliance));
  if (foreign.length === 0) return [];
  const message = `Pages on ${foreign.join(", ")} are on another site than ${publicUrl}: their sessions cannot be refreshed.`;
  const fix =
    "Cross-site cookies are not supported: serve both under one domain and scheme, such as app. and login.example.com.";
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

import type { Resolver } from "node:dns/promises";

/** The DNS records of a sender domain, with names and records as published. */
export interface SenderDomain {
  /** Records that begin with v=spf1. A domain should have exactly one. */
  spf: readonly string[];
  /** Domains that the record includes, directly or through others. */
  spfIncludes: ReadonlySet<string>;
  /** Lookups that a receiver must make. It gives up beyond 10 (RFC 7208 section 4.6.4). */
  spfLookups: number;
  /** Selectors with a valid key. */
  dkim: readonly string[];
  /** Requested selectors that do not exist, or whose key was withdrawn. */
  dkimMissing: readonly string[];
  dmarc: { record: string; policy: string | null; domain: string } | null;
}

/** Selectors that mail providers commonly use, for when no setting names the selector. */
const USUAL_SELECTORS = [
  "default",
  "dkim",
  "mail",
  "google",
  "selector1",
  "selector2",
  "s1",
  "s2",
  "k1",
  "k2",
  "k3",
  "fm1",
  "pm",
  "mandrill",
  "smtp",
  "mx",
] as const;
const MAX_LOOKUPS = 10;

/** @throws Error with a DNS `code` if the name servers do not answer */
export async function lookUpDomain(
  resolver: Resolver,
  domain: string,
  selectors: readonly string[],
): Promise<SenderDomain> {
  const spf = await spfOf(resolver, domain);
  const walk = { includes: new Set<string>(), lookups: 0 };
  if (spf[0]) await walkSpf(resolver, spf[0], walk);
  const asked = selectors.length > 0 ? selectors : USUAL_SELECTORS;
  const keys = await Promise.all(asked.map((selector) => hasKey(resolver, `${selector}._domainkey.${domain}`)));
  return {
    spf,
    spfIncludes: walk.includes,
    spfLookups: walk.lookups,
    dkim: asked.filter((_, index) => keys[index]),
    dkimMissing: selectors.filter((_, index) => !keys[index]),
    dmarc: await dmarcOf(resolver, domain),
  };
}

const NONE: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA", "NXDOMAIN"]);

/** Joins the strings of each record into one text (RFC 7208 section 3.3). */
async function texts(resolver: Resolver, name: string): Promise<string[]> {
  try {
    return (await resolver.resolveTxt(name)).map((strings) => strings.join(""));
  } catch (error) {
    const code = String((error as { code?: unknown }).code).replace(/^DNS_/, "");
    if (NONE.has(code)) return [];
    throw error;
  }
}

const spfOf = async (resolver: Resolver, domain: string) =>
  (await texts(resolver, domain)).filter((text) => /^v=spf1(?: |$)/i.test(text));

async function walkSpf(resolver: Resolver, record: string, walk: { includes: Set<string>; lookups: number }) {
  for (const term of record.toLowerCase().split(/\s+/).slice(1)) {
    const mechanism = /^[+?~-]?(include:|redirect=|exists:|a(?=$|[:/])|mx(?=$|[:/])|ptr)(.*)$/.exec(term);
    if (!mechanism) continue;
    walk.lookups++;
    const target = mechanism[2] ?? "";
    if (!["include:", "redirect="].includes(mechanism[1] ?? "") || walk.lookups > MAX_LOOKUPS) continue;
    if (walk.includes.has(target)) continue;
    walk.includes.add(target);
    const [inner] = await spfOf(resolver, target);
    if (inner) await walkSpf(resolver, inner, walk);
  }
}

/** Returns whether the selector has a key. An empty `p=` means a withdrawn key (RFC 6376 section 3.6.1). */
async function hasKey(resolver: Resolver, name: string): Promise<boolean> {
  return (await texts(resolver, name)).some((text) => /(?:^|;)\s*p\s*=\s*[A-Za-z0-9+/]/.test(text));
}

/** Returns the policy of the domain, else of its nearest ancestor with a policy (RFC 7489 section 6.6.3, by a tree walk). */
async function dmarcOf(resolver: Resolver, domain: string): Promise<SenderDomain["dmarc"]> {
  const labels = domain.split(".");
  for (let from = 0; from < labels.length - 1; from++) {
    const name = labels.slice(from).join(".");
    const record = (await texts(resolver, `_dmarc.${name}`)).find((text) => /^v\s*=\s*DMARC1\s*(?:;|$)/i.test(text));
    if (record !== undefined) {
      const tag = (wanted: string) => new RegExp(`;\\s*${wanted}\\s*=\\s*(\\w+)`, "i").exec(record)?.[1]?.toLowerCase();
      const policy = (from > 0 ? tag("sp") : undefined) ?? tag("p") ?? null;
      return { record, policy, domain: name };
    }
  }
  return null;
}

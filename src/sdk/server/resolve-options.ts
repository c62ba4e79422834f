import { configurationError } from "../internal/errors.ts";
import { platformFetch } from "../internal/http.ts";
import { parseApplicationId } from "../internal/ids.ts";
import { environment, requireUrl } from "../internal/options.ts";
import type { RevocationSource, VerificationOptions } from "./options.ts";
import { MAX_LEEWAY } from "./revocations.ts";
import type { VerifierOptions } from "./verifier.ts";

/** Reads the appliance's addresses from the options and the environment. @throws SallyportError `configuration_error` */
export function resolveAddresses(options: VerificationOptions): { baseUrl: string; tenantUrl: string; issuer: string } {
  const tenant = options.tenantUrl ?? environment("SALLYPORT_TENANT_URL");
  const base = options.baseUrl ?? environment("SALLYPORT_URL") ?? tenant?.replace(/\/t\/[^/]+\/*$/, "");
  const baseUrl = requireUrl(base, "baseUrl", "SALLYPORT_URL");
  const tenantUrl = tenant === undefined ? baseUrl : requireUrl(tenant, "tenantUrl", "SALLYPORT_TENANT_URL");
  return { baseUrl, tenantUrl, issuer: options.issuer ?? tenantUrl };
}

/**
 * @param applicationId null accepts any application of the tenant, so only the audience decides
 * @throws SallyportError `configuration_error` that names the missing or wrong option
 */
export function resolveVerifier(options: VerificationOptions, applicationId: string | null): VerifierOptions {
  const { tenantUrl, issuer } = resolveAddresses(options);
  const own = applicationId === null ? undefined : `${issuer}/api/${applicationId}`;
  const audience = options.audience ?? environment("SALLYPORT_API_AUDIENCE") ?? own;
  if (audience === undefined || audience === "") {
    // Without either, any token of the tenant would be accepted.
    throw configurationError(
      "audience is missing. Pass it, or set SALLYPORT_API_AUDIENCE; or pass applicationId to use that application's own audience.",
    );
  }
  if (parseApplicationId(audience) !== null) {
    throw configurationError("audience must be the aud of your tokens, which is never an application id.");
  }
  return {
    tenantUrl,
    issuer,
    audience,
    applicationId,
    fetch: options.fetch ?? platformFetch,
    onStale: oneOf(options.onStale ?? "allow", ["allow", "deny", "introspect"], "onStale"),
    source: oneOf(options.revocations ?? defaultSource(), ["stream", "poll"], "revocations"),
    leeway: within(options.leeway ?? 5, MAX_LEEWAY, "leeway"),
    cacheSize: within(options.cacheSize ?? 10_000, 1_000_000, "cacheSize"),
    now: options.now ?? Date.now,
  };
}

function defaultSource(): RevocationSource {
  const { navigator, EdgeRuntime } = globalThis as { navigator?: { userAgent?: string }; EdgeRuntime?: unknown };
  return EdgeRuntime !== undefined || navigator?.userAgent === "Cloudflare-Workers" ? "poll" : "stream";
}

function oneOf<T extends string>(value: T, values: readonly T[], option: string): T {
  if (values.includes(value)) return value;
  throw configurationError(`${option} must be one of ${values.map((known) => `"${known}"`).join(", ")}.`);
}

function within(value: number, max: number, option: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw configurationError(`${option} must be a whole number between 0 and ${max}.`);
}

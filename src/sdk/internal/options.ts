import { configurationError, parseUrl } from "./errors.ts";
import { parseApplicationId } from "./ids.ts";

/** Reads an environment variable. Returns undefined if it is unset, or (Deno) if reading it is not permitted. */
export function environment(name: string): string | undefined {
  try {
    const value = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
    return value === "" ? undefined : value;
  } catch {
    return undefined;
  }
}

/**
 * Returns an http(s) address without query, fragment or trailing slash.
 * @throws SallyportError `configuration_error` that names the option and its variable
 */
export function requireUrl(value: string | undefined, option: string, variable: string): string {
  const text = value ?? environment(variable);
  if (text === undefined) throw configurationError(`${option} is missing. Pass it, or set ${variable}.`);
  const url = parseUrl(text);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:") || url.search || url.hash || url.username) {
    throw configurationError(`${option} must be an http or https address without query, fragment or credentials.`);
  }
  return url.href.replace(/\/+$/, "");
}

/**
 * Returns the application id as a plain UUID.
 * @throws SallyportError `configuration_error` if it is missing, or is neither a UUID nor `app_…`
 */
export function requireApplicationId(value: string | undefined): string {
  const text = value ?? environment("SALLYPORT_APP_ID");
  if (text === undefined) throw configurationError("applicationId is missing. Pass it, or set SALLYPORT_APP_ID.");
  const id = parseApplicationId(text);
  if (id === null) throw configurationError("applicationId must be a UUID, or app_ and 26 characters of base32.");
  return id;
}

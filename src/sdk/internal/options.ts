import { configurationError, parseUrl } from "./errors.ts";
import { parseApplicationId } from "./ids.ts";

/** A variable of the environment; undefined where there is none, or (Deno) where reading it is not permitted. */
export function environment(name: string): string | undefined {
  try {
    const value = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
    return value === "" ? undefined : value;
  } catch {
    return undefined;
  }
}

/**
 * An http(s) address without query, fragment or trailing slash.
 * @throws SallyportError `configuration_error` naming the option and its variable.
 */
export function requireUrl(value: string | undefined, option: string, variable: string): string {
  const text = value ?? environment(variable);
  if (text === undefined) throw configurationError(`${option} is missing: pass it, or set ${variable}.`);
  const url = parseUrl(text);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:") || url.search || url.hash || url.username) {
    throw configurationError(`${option} must be an http or https address without query, fragment or credentials.`);
  }
  return url.href.replace(/\/+$/, "");
}

/**
 * The application id in plain UUID form.
 * @throws SallyportError `configuration_error` when it is missing or is neither a UUID nor `app_…`.
 */
export function requireApplicationId(value: string | undefined): string {
  const text = value ?? environment("SALLYPORT_APP_ID");
  if (text === undefined) throw configurationError("applicationId is missing: pass it, or set SALLYPORT_APP_ID.");
  const id = parseApplicationId(text);
  if (id === null) throw configurationError("applicationId must be a UUID or app_ and 26 characters of base32.");
  return id;
}

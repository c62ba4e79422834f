import { toPrefixedId } from "../core/ids.ts";
import type { FirstSetup } from "../identity/setup.ts";

/**
 * Returns the variables that the SDKs read if they get no options. They name the default application, which requests without
 * `x-application-id` use too: so a token of a plain curl opens a route behind `requireSession()`.
 * @param issuer of the default tenant: the public URL
 */
export function sdkEnvironment(issuer: string, made: FirstSetup): Record<string, string> {
  return {
    SALLYPORT_URL: issuer,
    SALLYPORT_TENANT_URL: issuer,
    SALLYPORT_APP_ID: toPrefixedId("application", made.defaultApplicationId),
    SALLYPORT_API_AUDIENCE: `${issuer}/api/${made.defaultApplicationId}`,
    SALLYPORT_API_KEY: made.secretKey,
  };
}

/** Formats lines to paste. The leading blanks keep the key out of the shell's history under HISTCONTROL=ignorespace. */
export function exportLines(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `  export ${name}=${value}`)
    .join("\n");
}

import type { SallyportError } from "../internal/errors.ts";

/** The answer to a refused request: the REST envelope, with the challenge of RFC 6750 section 3 and RFC 9470 section 3. */
export interface Refusal {
  status: number;
  headers: Record<string, string>;
  body: { error: { code: string; message: string; type: string; request_id: string | null; details: unknown } };
}

/** Seconds after which a caller may ask again in an outage. */
const RETRY_AFTER = 5;

/** Tells the caller only the refusal. The exact fault of a token, and the appliance's address, are for the integrator only. */
export function renderRefusal(error: SallyportError): Refusal {
  const headers: Record<string, string> = { "content-type": "application/json", "cache-control": "no-store" };
  const challenge = challengeOf(error);
  if (challenge !== null) headers["www-authenticate"] = challenge;
  const isOutage = error.status >= 500;
  if (isOutage) headers["retry-after"] = String(error.retryAfter ?? RETRY_AFTER);
  const status = isOutage ? 503 : error.status;
  const isPublic = error.code === "insufficient_user_authentication" || error.code === "insufficient_scope";
  return {
    status,
    headers,
    body: {
      error: {
        code: isOutage ? "overloaded" : error.code,
        message: isOutage ? "The credential cannot be checked now. Try again in a few seconds." : error.message,
        type: error.type,
        request_id: error.requestId,
        details: isPublic ? error.details : null,
      },
    },
  };
}

function challengeOf(error: SallyportError): string | null {
  const details = (error.details ?? {}) as { reason?: string; scope?: string; acr_values?: string; max_age?: number };
  if (error.code === "insufficient_scope") {
    return `Bearer error="insufficient_scope", error_description="${error.message}", scope="${details.scope ?? ""}"`;
  }
  if (error.code === "insufficient_user_authentication") {
    const acr = details.acr_values === undefined ? "" : `, acr_values="${details.acr_values}"`;
    const age = details.max_age === undefined ? "" : `, max_age="${details.max_age}"`;
    return `Bearer error="insufficient_user_authentication", error_description="${error.message}"${acr}${age}`;
  }
  if (error.status !== 401) return null;
  // A request without a credential gets no error code.
  if (details.reason === "no_token") return "Bearer";
  return `Bearer error="invalid_token", error_description="${error.message.replaceAll(/["\\]/g, "")}"`;
}

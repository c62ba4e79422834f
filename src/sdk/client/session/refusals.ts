import { SallyportError } from "../../internal/errors.ts";

/**
 * Whether the appliance refused the credential, as opposed to giving no answer. A gateway's own 401 has another form, and says
 * nothing about the session.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof SallyportError && error.status === 401 && error.type === "authentication_error";
}

export function nobody(): SallyportError {
  const message = "Nobody is signed in.";
  return new SallyportError({ code: "authentication_required", message, status: 401, type: "authentication_error" });
}

/** Whether a retry would get the same answer, because the page is set up wrongly. */
export function isFinal({ status, type }: SallyportError): boolean {
  return status >= 400 && status < 500 && status !== 429 && type !== "api_error";
}

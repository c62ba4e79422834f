import { SallyportError } from "../../../src/sdk/internal/errors.ts";

/** Returns `code/reason` of the SallyportError with which the promise rejects, or "accepted". */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "accepted";
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    const reason = (error.details as { reason?: string } | null)?.reason;
    return reason === undefined ? error.code : `${error.code}/${reason}`;
  }
}

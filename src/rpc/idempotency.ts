import { invalidField } from "../core/errors.ts";
import type { RepeatableCall } from "../identity/idempotency/idempotency.ts";
import type { Call } from "./call.ts";
import type { AdmittedKey } from "./gate.ts";

/** 1 to 255 visible ASCII characters. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Returns the call as a {@link RepeatableCall}, or null without an Idempotency-Key.
 * @throws AppError `invalid_input`
 */
export function repeatable(
  caller: AdmittedKey & { call: Call; procedure: string },
  input: unknown,
): RepeatableCall | null {
  const key = caller.call.idempotencyKey;
  if (key === null) return null;
  if (!KEY.test(key)) throw invalidField("idempotency-key", "must be 1 to 255 visible ASCII characters");
  const { act, procedure } = caller;
  return { tenantId: act.application.tenant.id, callerId: caller.key.id, procedure, key, input };
}

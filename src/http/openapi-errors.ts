import type { ErrorCode } from "../core/errors.ts";
import type { ProcedureMeta } from "../rpc/procedures.ts";

/** Codes that every procedure can answer. */
export const ALWAYS: ErrorCode[] = [
  "unknown_application",
  "not_found",
  "misdirected_request",
  "internal_error",
  "storage_unavailable",
  "outcome_unknown",
];
export const WITH_INPUT: ErrorCode[] = ["invalid_input"];
export const WITH_BODY: ErrorCode[] = ["payload_too_large", "unsupported_media_type"];
const BY_ACCESS: Record<ProcedureMeta["access"]["kind"], ErrorCode[]> = {
  public: [
    "rate_limited",
    "overloaded",
    "insufficient_scope",
    "application_mismatch",
    "invalid_credentials",
    "authentication_required",
    "forbidden",
  ],
  session: [
    "authentication_required",
    "token_expired",
    "token_revoked",
    "application_mismatch",
    "insufficient_scope",
    "origin_not_allowed",
    "rate_limited",
    "overloaded",
  ],
  "flow-or-session": [
    "invalid_code",
    "invalid_credentials",
    "authentication_required",
    "token_expired",
    "token_revoked",
    "application_mismatch",
    "insufficient_scope",
    "origin_not_allowed",
    "rate_limited",
    "overloaded",
  ],
  "end-user": [
    "authentication_required",
    "token_expired",
    "token_revoked",
    "application_mismatch",
    "insufficient_scope",
    "origin_not_allowed",
    "rate_limited",
    "overloaded",
  ],
  "sign-out": ["authentication_required", "application_mismatch", "origin_not_allowed"],
  key: [
    "authentication_required",
    "token_expired",
    "token_revoked",
    "invalid_credentials",
    "insufficient_scope",
    "application_mismatch",
    "forbidden",
    "rate_limited",
  ],
};

/** Returns the codes that a procedure can answer: its own, and those of its gate, its input and its body. */
export function codesOf(meta: ProcedureMeta, has: { input: boolean; body: boolean }): Set<ErrorCode> {
  const codes = new Set<ErrorCode>([...meta.errors, ...ALWAYS, ...BY_ACCESS[meta.access.kind]]);
  if (has.input) for (const code of WITH_INPUT) codes.add(code);
  if (meta.repeatable) codes.add("conflict");
  if (meta.access.kind === "session" && (meta.access.fresh || meta.access.aal || meta.access.maxAge)) {
    codes.add("insufficient_user_authentication");
  }
  if (has.body) for (const code of WITH_BODY) codes.add(code);
  // x-application-id and ids in the path may be malformed.
  codes.add("invalid_input");
  return codes;
}

import type { Texts } from "./texts/texts.ts";

/** The messages for the user: one sentence about the whole form, and one for each wrong field. */
export interface Problem {
  summary: string;
  fields: Readonly<Record<string, string>>;
}

/** The shape of SallyportError. Read by shape, so that this entry point does not include the class. */
interface Refusal {
  code?: unknown;
  message?: unknown;
  details?: unknown;
  retryAfter?: unknown;
}

/** A component's own messages, by code, in place of the general ones: a sentence, or one for each field. */
export type Told = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** @param labels the labels of the form's fields, by name; problems elsewhere go to the summary */
export function problemOf(
  error: unknown,
  texts: Texts,
  labels: Readonly<Record<string, string>>,
  told: Told = {},
): Problem {
  const { code, message, details, retryAfter } = (error ?? {}) as Refusal;
  const own = typeof code === "string" ? told[code] : undefined;
  if (typeof own === "string") return { summary: own, fields: {} };
  if (own !== undefined) return { summary: texts.fieldProblems, fields: own };
  const said = typeof message === "string" ? message : null;
  if (code === "invalid_input") {
    const fields: Record<string, string> = {};
    for (const { path, reason } of fieldProblems(details)) {
      const label = labels[path];
      if (label !== undefined) fields[path] = sentence(label, reason);
    }
    return { summary: Object.keys(fields).length > 0 ? texts.fieldProblems : (said ?? texts.fieldProblems), fields };
  }
  return { summary: summaryOf(code, texts, retryAfter) ?? said ?? texts.busy, fields: {} };
}

function summaryOf(code: unknown, texts: Texts, retryAfter: unknown): string | undefined {
  switch (code) {
    case "rate_limited":
      return texts.rateLimited(typeof retryAfter === "number" ? retryAfter : null);
    case "invalid_credentials":
      return texts.invalidCredentials;
    case "invalid_code":
      return texts.invalidCode;
    case "code_used":
      return texts.codeUsed;
    case "forbidden":
      return texts.notOffered;
    case "factor_elsewhere":
      return texts.factorElsewhere;
    case "address_unproven":
      return texts.addressUnproven;
    case "asking_session_required":
      return texts.askingSessionRequired;
    case "insufficient_user_authentication":
      return texts.needsStepUp;
    case "passkey_cancelled":
      return texts.passkeyCancelled;
    case "passkey_exists":
      return texts.passkeyExists;
    case "passkey_unsupported":
      return texts.passkeyUnsupported;
    case "overloaded":
    case "storage_unavailable":
    case "outcome_unknown":
      return texts.busy;
    case "unreachable":
      return texts.unreachable;
    default:
      return undefined;
  }
}

interface FieldProblem {
  path: string;
  reason: string;
}

function fieldProblems(details: unknown): FieldProblem[] {
  if (!Array.isArray(details)) return [];
  return details.filter(
    (entry): entry is FieldProblem => typeof entry?.path === "string" && typeof entry?.reason === "string",
  );
}

/** The appliance continues from the field's name ("must be …"), or sends a whole sentence. */
function sentence(label: string, reason: string): string {
  const text = /^\p{Ll}/u.test(reason) ? `${label} ${reason}` : reason;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

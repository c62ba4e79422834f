import type { Texts } from "./texts/texts.ts";

/** What to tell the person: one sentence about the whole, and one for each field that is wrong. */
export interface Problem {
  summary: string;
  fields: Readonly<Record<string, string>>;
}

/** As SallyportError has it; read by shape, so that this door does not bring the class along. */
interface Refusal {
  code?: unknown;
  message?: unknown;
  details?: unknown;
  retryAfter?: unknown;
}

/** What a component says of a code in place of the general words: a sentence, or one for each field. */
export type Told = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** @param labels of the fields that the form shows, by name; what is wrong elsewhere is told in the summary */
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
    case "forbidden":
      return texts.notOffered;
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

/** The appliance goes on from the field's name ("must be …") or says a whole sentence. */
function sentence(label: string, reason: string): string {
  const text = /^\p{Ll}/u.test(reason) ? `${label} ${reason}` : reason;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

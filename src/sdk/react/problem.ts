import type { Texts } from "./texts.ts";

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

/** @param labels of the fields that the form shows, by name; what is wrong elsewhere is told in the summary */
export function problemOf(error: unknown, texts: Texts, labels: Readonly<Record<string, string>>): Problem {
  const { code, message, details, retryAfter } = (error ?? {}) as Refusal;
  const fields: Record<string, string> = {};
  for (const { path, reason } of fieldProblems(details)) {
    const label = labels[path];
    if (label !== undefined) fields[path] = sentence(label, reason);
  }
  switch (code) {
    case "invalid_input":
      if (Object.keys(fields).length > 0) return { summary: texts.fieldProblems, fields };
      return { summary: typeof message === "string" ? message : texts.fieldProblems, fields };
    case "invalid_credentials":
      return { summary: texts.invalidCredentials, fields: {} };
    case "conflict":
      return { summary: texts.fieldProblems, fields: { email: texts.emailTaken } };
    case "forbidden":
      return { summary: texts.signUpClosed, fields: {} };
    case "rate_limited":
      return { summary: texts.rateLimited(typeof retryAfter === "number" ? retryAfter : null), fields: {} };
    case "overloaded":
    case "storage_unavailable":
      return { summary: texts.busy, fields: {} };
    case "unreachable":
      return { summary: texts.unreachable, fields: {} };
    default:
      return { summary: typeof message === "string" ? message : texts.busy, fields: {} };
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

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

/** @param known names of the fields that the form shows; what is wrong elsewhere is told in the summary */
export function problemOf(error: unknown, texts: Texts, known: readonly string[]): Problem {
  const { code, message, details, retryAfter } = (error ?? {}) as Refusal;
  const problems = fieldProblems(details);
  const fields = Object.fromEntries(problems.filter(({ path }) => known.includes(path)).map(sentence));
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

/** "must be …" reads as a sentence below its field. */
function sentence({ path, reason }: FieldProblem): [string, string] {
  const text = reason.charAt(0).toUpperCase() + reason.slice(1);
  return [path, /[.!?]$/.test(text) ? text : `${text}.`];
}

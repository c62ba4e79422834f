/** A fault as zod describes it before it has a message. Which members there are depends on the code. */
interface Fault {
  code?: string;
  input?: unknown;
  expected?: string;
  origin?: string;
  minimum?: number | bigint;
  maximum?: number | bigint;
  values?: unknown[];
  format?: string;
}

/** The names of types as people who write JSON know them. */
const TYPES: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a JSON object",
  record: "a JSON object",
  array: "a list",
  null: "null",
};
const FORMATS: Record<string, string> = {
  uuid: "must be a UUID",
  datetime: "must be a time such as 2026-01-31T12:00:00Z",
};

/**
 * Says why an input is not valid, after the name of its field: "is needed", "must be text". Users read it, so zod's own words
 * ("Invalid input: expected string, received undefined") never appear. A schema's own message comes before this one.
 */
export function inputReason(issue: Fault): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is needed";
      return `must be ${TYPES[issue.expected ?? ""] ?? "of another type"}`;
    case "too_small":
      return least(issue.origin ?? "", Number(issue.minimum));
    case "too_big":
      return most(issue.origin ?? "", Number(issue.maximum));
    case "invalid_value":
      if (issue.input === undefined) return "is needed";
      return mustBe(issue.values ?? []);
    case "invalid_format":
      return FORMATS[issue.format ?? ""] ?? "has a wrong form";
    case "invalid_union":
      return issue.input === undefined ? "is needed" : "has none of the forms that it may have";
    case "unrecognized_keys":
      return "has fields that are not known here";
    case "invalid_key":
      return "has a field with a name that is not valid";
    default:
      return "is not valid";
  }
}

function mustBe(values: unknown[]): string {
  return `must be ${values.length > 1 ? "one of " : ""}${values.map(String).join(", ")}`;
}

function least(origin: string, minimum: number): string {
  if (origin === "string") return minimum === 1 ? "must not be empty" : `must have at least ${minimum} characters`;
  if (origin === "array") return `must have at least ${minimum} ${minimum === 1 ? "entry" : "entries"}`;
  return `must be at least ${minimum}`;
}

function most(origin: string, maximum: number): string {
  if (origin === "string") return `must have at most ${maximum} characters`;
  if (origin === "array") return `must have at most ${maximum} ${maximum === 1 ? "entry" : "entries"}`;
  return `must be at most ${maximum}`;
}

import { LINK_NAMES, namesOf } from "./render.ts";
import { TEMPLATE_VALUES, type Template, type TemplateName } from "./templates/template.ts";

const MAX_SUBJECT = 200;
const MAX_BODY = 20_000;
const SUBJECT = /^subject:[ \t]*(.*)$/i;
const BUTTON_TO = /\]\(\{\{(\w+)\}\}\)/g;

export function isTemplateName(text: string): text is TemplateName {
  return Object.hasOwn(TEMPLATE_VALUES, text);
}

/** Returns the values that the words of a mail may name. */
export function valuesOf(name: TemplateName): readonly string[] {
  return ["application", "tenant", ...TEMPLATE_VALUES[name]].filter(
    // The test mail has no application, because nobody signs in by it.
    (value) => name !== "test" || value !== "application",
  );
}

/** Returns a template as text: `Subject: …`, an empty line, the body. */
export function toText({ subject, body }: Template): string {
  return `Subject: ${subject}\n\n${body}\n`;
}

/** @returns null unless the first line of the text is a subject */
export function fromText(text: string): Template | null {
  const [first = "", ...rest] = text
    .replace(/^\ufeff/, "")
    .replaceAll(/\r\n?/g, "\n")
    .split("\n");
  const subject = SUBJECT.exec(first)?.[1]?.trim();
  if (subject === undefined) return null;
  return { subject, body: rest.join("\n").trim() };
}

/** Returns a sentence with the fix for each problem of a template; empty for a usable template. */
export function templateProblems(name: TemplateName, { subject, body }: Template): string[] {
  const known = valuesOf(name);
  const all = `${subject}\n${body}`;
  const problems: string[] = [];
  if (subject === "" || subject.length > MAX_SUBJECT)
    problems.push(`The subject must have 1 to ${MAX_SUBJECT} characters.`);
  if (/\p{Cc}/u.test(subject)) problems.push("The subject must have no control characters.");
  if (body === "" || body.length > MAX_BODY) problems.push(`The body must have 1 to ${MAX_BODY} characters.`);
  const unknown = [...new Set(namesOf(all))].filter((value) => !known.includes(value));
  if (unknown.length > 0) {
    const list = known.map((value) => `{{${value}}}`).join(", ");
    problems.push(
      `${unknown.map((value) => `{{${value}}}`).join(", ")}: unknown value in ${name}. The values are: ${list}.`,
    );
  }
  const stray = /\{\{|\}\}/.exec(all.replaceAll(/\{\{\w+\}\}/g, ""));
  if (stray) problems.push(`A ${stray[0]} stands alone. Write a value as {{name}}, without spaces.`);
  for (const [, value = ""] of body.matchAll(BUTTON_TO)) {
    if (!LINK_NAMES.has(value)) problems.push(`A button can link to {{link}} or {{home}}, but not to {{${value}}}.`);
  }
  const proofs = (["link", "code"] as const).filter((value) => known.includes(value));
  if (proofs.length > 0 && !proofs.some((value) => namesOf(body).includes(value))) {
    problems.push(
      `The body must contain ${proofs.map((value) => `{{${value}}}`).join(" or ")}: the mail is useless without it.`,
    );
  }
  return problems;
}

/** Example values for a preview of a template. */
export const SAMPLE_VALUES: Readonly<Record<string, string>> = {
  application: "Acme Shop",
  tenant: "Acme",
  link: "https://login.example.com/link#sally_ml_EXAMPLE",
  home: "https://shop.example.com/",
  code: "1234 5678",
  minutes: "15",
  days: "7",
  email: "ada@example.com",
  old_email: "ada@example.com",
  new_email: "ada.lovelace@example.org",
  device: "Firefox on Windows",
  address: "203.0.113.7",
  time: "2026-03-01 12:00 UTC",
  factor: "passkey",
  removed: "password,passkey",
  account: "a•••@example.com",
  left: "9",
};

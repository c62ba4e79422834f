import { buttonHtml, codeHtml, pageHtml, paragraphHtml } from "./layout.ts";
import type { Template } from "./templates/template.ts";

export interface Rendered {
  subject: string;
  text: string;
  html: string;
}

const PLACE = /\{\{(\w+)\}\}/g;
const BUTTON = /^\[([^\]]+)\]\(\{\{(\w+)\}\}\)$/;
const ALONE = /^\{\{(\w+)\}\}$/;
/** The value that is set large when it stands alone. */
const CODE = "code";
/** Values that a button may link to. A text that a person has typed never becomes an address. */
export const LINK_NAMES: ReadonlySet<string> = new Set(["link", "home"]);

/**
 * Renders a mail as text and as HTML. The HTML escapes the values. The subject removes their line breaks, which would begin
 * an attacker's header (CWE-93). The text removes them too, because they would begin an attacker's paragraph.
 */
export function render(template: Template, given: Readonly<Record<string, string>>, language: string): Rendered {
  const values = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, onOneLine(value)]));
  const fill = (text: string, wrap: (value: string) => string) =>
    text.replaceAll(PLACE, (_, name: string) => wrap(valueIn(values, name)));
  const plain = (value: string) => value;
  const paragraphs = template.body
    .split(/\n\s*\n/)
    .map((paragraph) => dropUnsaid(paragraph.trim(), values))
    .filter((paragraph) => paragraph !== "");
  const text: string[] = [];
  const html: string[] = [];
  for (const paragraph of paragraphs) {
    const button = BUTTON.exec(paragraph);
    const alone = ALONE.exec(paragraph)?.[1];
    if (button?.[1] && button[2] && LINK_NAMES.has(button[2])) {
      const url = valueIn(values, button[2]);
      text.push(`${fill(button[1], plain)}:\n${url}`);
      html.push(buttonHtml(escapeHtml(url), fill(escapeHtml(button[1]), escapeHtml)));
    } else if (alone === CODE) {
      text.push(valueIn(values, alone));
      html.push(codeHtml(escapeHtml(valueIn(values, alone))));
    } else {
      text.push(fill(paragraph, plain));
      html.push(paragraphHtml(fill(escapeHtml(paragraph), escapeHtml).replaceAll("\n", "<br>")));
    }
  }
  const subject = onOneLine(fill(template.subject, plain));
  return {
    subject,
    text: `${text.join("\n\n")}\n`,
    html: pageHtml({
      title: escapeHtml(subject),
      brand: escapeHtml(valueIn(values, "application") || valueIn(values, "tenant")),
      language: escapeHtml(language),
      body: html.join("\n"),
    }),
  };
}

/** Removes line breaks, and characters that reverse text or are invisible (Trojan Source). */
function onOneLine(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/g, "")
    .trim();
}

/** Returns the value names in the words of a template. */
export function namesOf(text: string): string[] {
  return [...text.matchAll(PLACE)].map((match) => match[1] ?? "");
}

/** Drops the lines that name an empty value. */
function dropUnsaid(paragraph: string, values: Readonly<Record<string, string>>): string {
  const isSaid = (line: string) => namesOf(line).every((name) => valueIn(values, name) !== "");
  return paragraph.split("\n").filter(isSaid).join("\n");
}

function valueIn(values: Readonly<Record<string, string>>, name: string): string {
  return Object.hasOwn(values, name) ? (values[name] ?? "") : "";
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

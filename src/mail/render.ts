import type { Template } from "./templates/template.ts";

export interface Rendered {
  subject: string;
  text: string;
  html: string;
}

const PLACE = /\{\{(\w+)\}\}/g;
const BUTTON = /^\[([^\]]+)\]\(\{\{(\w+)\}\}\)$/;
const ALONE = /^\{\{(\w+)\}\}$/;
/** What is set large when it stands alone. */
const CODE = "code";

/**
 * A mail's words with their values, as text and as HTML. Values are escaped in the HTML, and have their line breaks removed
 * in the subject, where they would begin a header of the attacker's (CWE-93).
 */
export function render(template: Template, values: Readonly<Record<string, string>>, language: string): Rendered {
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
    if (button?.[1] && button[2]) {
      const url = valueIn(values, button[2]);
      text.push(`${fill(button[1], plain)}:\n${url}`);
      html.push(BUTTON_HTML(escapeHtml(url), fill(escapeHtml(button[1]), escapeHtml)));
    } else if (alone === CODE) {
      text.push(valueIn(values, alone));
      html.push(CODE_HTML(escapeHtml(valueIn(values, alone))));
    } else {
      text.push(fill(paragraph, plain));
      html.push(PARAGRAPH_HTML(fill(escapeHtml(paragraph), escapeHtml).replaceAll("\n", "<br>")));
    }
  }
  return {
    subject: fill(template.subject, plain).replaceAll(/\s+/g, " ").trim(),
    text: `${text.join("\n\n")}\n`,
    html: PAGE_HTML(html.join("\n"), escapeHtml(language)),
  };
}

/** The names that a template's words ask for. */
export function namesOf(text: string): string[] {
  return [...text.matchAll(PLACE)].map((match) => match[1] ?? "");
}

/** Without the lines that name an empty value. */
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

const FONT = "font-family:-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif";
const PARAGRAPH_HTML = (inner: string) => `<p style="margin:0 0 16px;line-height:1.5">${inner}</p>`;
const BUTTON_HTML = (url: string, label: string) =>
  `<p style="margin:0 0 16px"><a href="${url}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#1f4fd8;color:#ffffff;text-decoration:none;font-weight:600">${label}</a></p>`;
const CODE_HTML = (code: string) =>
  `<p style="margin:0 0 16px;font:600 28px/1.3 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px">${code}</p>`;
const PAGE_HTML = (inner: string, language: string) => `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>
<body style="margin:0;padding:24px;${FONT};font-size:16px;color:#16181d;background:#ffffff">
<div style="max-width:480px;margin:0 auto">
${inner}
</div>
</body>
</html>
`;

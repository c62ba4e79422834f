import { MAIL_COLORS } from "./colors.gen.ts";

/**
 * The look of a mail. Mail programs know little CSS: all styles for the light theme are inline. The one stylesheet, for the
 * dark theme, is ignored where it is unknown. The mail loads no picture and nothing else, so opening it notifies nobody.
 */
const SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace";

const { light, dark } = MAIL_COLORS;

const DARK = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .ground { background: ${dark.ground} !important; }
  .card { background: ${dark.card} !important; border-color: ${dark.line} !important; }
  .brand, .words { color: ${dark.text} !important; }
  .button { background: ${dark.button} !important; color: ${dark.onButton} !important; }
  .code { background: ${dark.code} !important; color: ${dark.text} !important; }
}
@media (max-width: 520px) {
  .ground { padding: 0 !important; }
  .card { border-left: 0 !important; border-right: 0 !important; border-radius: 0 !important; }
  .inside { padding: 28px 20px 8px !important; }
}`;

/** @param inner escaped */
export function paragraphHtml(inner: string): string {
  return `<p class="words" style="margin:0 0 20px;font-size:16px;line-height:24px;color:${light.text};overflow-wrap:anywhere">${inner}</p>`;
}

/** @param url escaped @param label escaped */
export function buttonHtml(url: string, label: string): string {
  const style =
    `display:inline-block;padding:12px 24px;border-radius:8px;background:${light.button};color:${light.onButton};` +
    "font-size:16px;font-weight:600;line-height:24px;text-decoration:none";
  return `<p style="margin:4px 0 24px"><a class="button" href="${url}" style="${style}">${label}</a></p>`;
}

/** @param code escaped */
export function codeHtml(code: string): string {
  const style =
    `display:inline-block;padding:10px 20px;border-radius:8px;background:${light.code};color:${light.text};` +
    `font-family:${MONO};font-size:28px;font-weight:600;line-height:36px;letter-spacing:2px;white-space:nowrap`;
  return `<p style="margin:4px 0 24px"><span class="code" style="${style}">${code}</span></p>`;
}

/** @param parts escaped */
export function pageHtml(parts: { title: string; brand: string; language: string; body: string }): string {
  const { title, brand, language, body } = parts;
  const name = `<p class="brand" style="margin:0 0 24px;font-size:16px;font-weight:600;line-height:24px;color:${light.text};overflow-wrap:anywhere">${brand}</p>`;
  return `<!doctype html>
<html lang="${language}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">
<title>${title}</title>
<style>${DARK}
</style>
</head>
<body class="ground" style="margin:0;padding:32px 16px;background:${light.ground};font-family:${SANS};-webkit-text-size-adjust:100%">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr><td align="center">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:520px;background:${light.card};border:1px solid ${light.line};border-radius:14px;border-collapse:separate">
<tr><td class="inside" align="left" style="padding:32px 32px 12px;font-family:${SANS}">
${brand === "" ? "" : `${name}\n`}${body}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

/**
 * How a mail looks. Programs that read mail know little of CSS: everything stands inline, for light; the one stylesheet, for
 * dark, is left out by those that do not know it. No picture and nothing else is loaded: opening a mail tells nobody.
 */
const SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace";

const DARK = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .ground { background: #131316 !important; }
  .card { background: #1e1e23 !important; border-color: #34343b !important; }
  .brand { color: #f4f4f5 !important; }
  .words { color: #d9d9de !important; }
  .button { background: #f4f4f5 !important; color: #18181b !important; }
  .code { background: #2a2a31 !important; color: #ffffff !important; }
}
@media (max-width: 480px) {
  .ground { padding: 12px 8px !important; }
  .inside { padding: 24px 20px 8px !important; }
}`;

/** @param inner escaped */
export function paragraphHtml(inner: string): string {
  return `<p class="words" style="margin:0 0 20px;font-size:16px;line-height:1.55;color:#3f3f46;overflow-wrap:anywhere">${inner}</p>`;
}

/** @param url escaped @param label escaped */
export function buttonHtml(url: string, label: string): string {
  const style =
    "display:inline-block;padding:13px 24px;border-radius:10px;background:#18181b;color:#ffffff;" +
    "font-size:16px;font-weight:600;line-height:1.25;text-decoration:none";
  return `<p style="margin:4px 0 24px"><a class="button" href="${url}" style="${style}">${label}</a></p>`;
}

/** @param code escaped */
export function codeHtml(code: string): string {
  const style =
    "display:inline-block;padding:12px 20px;border-radius:10px;background:#f1f1f3;color:#18181b;" +
    `font-family:${MONO};font-size:28px;font-weight:600;line-height:1.25;letter-spacing:3px;white-space:nowrap`;
  return `<p style="margin:4px 0 24px"><span class="code" style="${style}">${code}</span></p>`;
}

/** @param parts escaped */
export function pageHtml(parts: { title: string; brand: string; language: string; body: string }): string {
  const { title, brand, language, body } = parts;
  const name = `<p class="brand" style="margin:0 0 20px;font-size:18px;font-weight:700;line-height:1.3;color:#18181b;overflow-wrap:anywhere">${brand}</p>`;
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
<body class="ground" style="margin:0;padding:32px 16px;background:#f4f4f5;font-family:${SANS};-webkit-text-size-adjust:100%">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0">
<tr><td align="center">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;background:#ffffff;border:1px solid #e4e4e7;border-radius:14px;border-collapse:separate">
<tr><td class="inside" align="left" style="padding:36px 40px 16px;font-family:${SANS}">
${brand === "" ? "" : `${name}\n`}${body}
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`;
}

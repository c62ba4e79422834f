import { TOTP_DIGITS, TOTP_PERIOD } from "./totp.ts";

/** The maximum length of a name. It keeps the whole address short enough for a code, however the name is encoded. */
const MAX_ISSUER = 40;
const MAX_ACCOUNT = 80;
/** Width of the white border, in modules (ISO/IEC 18004 section 9.1). */
const QUIET_ZONE = 4;

/** Builds the address that an authenticator app reads: https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
export function otpauthUri(input: { secret: string; issuer: string; account: string }): string {
  // A colon separates issuer and account, even where it is encoded.
  const issuer = encodeURIComponent(cut(input.issuer.replaceAll(":", " "), MAX_ISSUER));
  const account = encodeURIComponent(cut(input.account.replaceAll(":", " "), MAX_ACCOUNT));
  const digits = `algorithm=SHA1&digits=${TOTP_DIGITS}&period=${TOTP_PERIOD}`;
  return `otpauth://totp/${issuer}:${account}?secret=${input.secret}&issuer=${issuer}&${digits}`;
}

/** Draws the code as an SVG document without script or style, which scales to any size. */
export async function qrSvg(text: string): Promise<string> {
  const { encode } = await import("uqr");
  const { data, size } = encode(text, { ecc: "M", border: QUIET_ZONE });
  // Draws one rectangle for each run of dark modules: a sixth of the size of one for each module.
  const path = data.flatMap((row, y) => runs(row).map(({ x, length }) => `M${x} ${y}h${length}v1h-${length}z`));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">` +
    `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path fill="#000" d="${path.join("")}"/></svg>`
  );
}

function runs(row: readonly boolean[]): { x: number; length: number }[] {
  const found: { x: number; length: number }[] = [];
  for (const [x, dark] of row.entries()) {
    const last = found.at(-1);
    if (dark && last && last.x + last.length === x) last.length++;
    else if (dark) found.push({ x, length: 1 });
  }
  return found;
}

function cut(text: string, characters: number): string {
  return [...text].slice(0, characters).join("");
}

import { createHmac } from "node:crypto";

export type Claims = Record<string, unknown>;

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Returns the header of a token, unverified. */
export const headerOf = (token: string): Claims => partOf(token, 0);
/** Returns the claims of a token, unverified. */
export const claimsOf = (token: string): Claims => partOf(token, 1);

function partOf(token: string, index: number): Claims {
  return JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());
}

/** Returns a token with a changed header or changed claims, under the old signature. */
export function altered(token: string, changes: { header?: Claims; claims?: Claims }): string {
  const signature = token.split(".")[2];
  return `${encode({ ...headerOf(token), ...changes.header })}.${encode({ ...claimsOf(token), ...changes.claims })}.${signature}`;
}

/** Returns an HS256 token signed with any key. */
export function hmacToken(header: Claims, claims: Claims, key: string | Uint8Array): string {
  const input = `${encode({ typ: "JWT", alg: "HS256", ...header })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}

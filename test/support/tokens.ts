import { createHmac } from "node:crypto";

export type Claims = Record<string, unknown>;

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The header of a token, unverified. */
export const headerOf = (token: string): Claims => partOf(token, 0);
/** The claims of a token, unverified. */
export const claimsOf = (token: string): Claims => partOf(token, 1);

function partOf(token: string, index: number): Claims {
  return JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());
}

/** A token with another header or other claims, under the old signature. */
export function altered(token: string, changes: { header?: Claims; claims?: Claims }): string {
  const signature = token.split(".")[2];
  return `${encode({ ...headerOf(token), ...changes.header })}.${encode({ ...claimsOf(token), ...changes.claims })}.${signature}`;
}

/** An HS256 token over any key. */
export function hmacToken(header: Claims, claims: Claims, key: string | Uint8Array): string {
  const input = `${encode({ typ: "JWT", alg: "HS256", ...header })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}

/**
 * Returns the token of an Authorization value, or null unless it is `Bearer` and one token. A tab separates as a space
 * does.
 */
export function bearerToken(authorization: string): string | null {
  return /^bearer[ \t]+(\S+)[ \t]*$/i.exec(authorization)?.[1] ?? null;
}

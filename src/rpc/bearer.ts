/**
 * Returns the token of an Authorization value, or null unless it is `Bearer` and one token. A tab separates as a space
 * does.
 */
export function bearerToken(authorization: string): string | null {
  // The usual spelling; the expression below takes all others.
  if (authorization.startsWith("Bearer ") && authorization.length > 7 && !/\s/.test(authorization.slice(7))) {
    return authorization.slice(7);
  }
  return /^bearer[ \t]+(\S+)[ \t]*$/i.exec(authorization)?.[1] ?? null;
}

/** The meaning of a request, by the end of its path. Procedures of the typed client travel as `/trpc/a.b,c.d`. */
const GOOD: readonly [pattern: RegExp, meaning: string][] = [
  [/\/auth\/refresh$/, "The refresh cookie gave a new access token"],
  [/\/auth\/register$/, "Account made: session, access token, refresh cookie"],
  [/\/auth\/register\/complete$/, "Address proven, account made, signed in"],
  [/\/auth\/login$/, "The password is correct"],
  [/\/auth\/logout$/, "Session ended, cookie cleared"],
  [/email\.start/, "If the account exists, a mail is on its way"],
  [/\/auth\/email\/complete$/, "The mailed code or link is correct"],
  [/email\.verify/, "The address is proven"],
  [/emails\.(verify|add)/, "A mail is on its way, to prove the address"],
  [/emails|addresses/, "The addresses of the account"],
  [/passkey\.begin|passkey\/login\/begin/, "A challenge for a passkey"],
  [/\/passkey\/login\/complete$/, "The passkey's signature is valid"],
  [/me\.passkeys\.begin/, "A challenge for a new passkey"],
  [/me\.passkeys\.complete/, "A passkey for the account"],
  [/me\.passkeys/, "The passkeys of the account"],
  [/mfa\.setup/, "A secret for an authenticator app"],
  [/\/mfa\/enable$/, "Second factor on: two factors from now on"],
  [/\/mfa\/verify$/, "The second factor is correct"],
  [/mfa\.challenge/, "The accepted second factors"],
  [/password\.forgot/, "If the account exists, a mail is on its way"],
  [/password\.reset/, "New password set, every session ended"],
  [/me\.security/, "How the account is protected"],
  [/auth\.session/, "The session, as the server knows it"],
  [/jwks\.json$/, "The public keys that verify tokens"],
];

const REFUSED: Readonly<Record<string, string>> = {
  unreachable: "No answer",
  invalid_credentials: "Wrong password, or no such account",
  invalid_code: "Wrong code, used before, or too old",
  code_used: "A right code, but used before. The next one will do",
  authentication_required: "Nobody is signed in yet",
  insufficient_user_authentication: "This needs a fresher or stronger sign-in, so the page asks for it",
  conflict: "An account with this address already exists",
  invalid_input: "A field of the form is wrong",
  rate_limited: "Too many attempts",
};

export function meaningOf(path: string, status: number | null, code: string | null, body: unknown): string {
  if (code !== null) return REFUSED[code] ?? "Refused";
  if (status === null || status >= 400) return status === 401 ? "Nobody is signed in yet" : "Refused";
  if ((body as { status?: unknown } | null)?.status === "mfa_required")
    return "Correct so far. A second factor is needed";
  return GOOD.find(([pattern]) => pattern.test(path))?.[1] ?? "Answered";
}

import { configurationError, SallyportError } from "../internal/errors.ts";
import { environment, requireApplicationId } from "../internal/options.ts";
import { authenticate } from "../server/authenticate.ts";
import { type AccessClaims, refused } from "../server/claims.ts";
import { readCredentialRules } from "../server/credential.ts";
import type { AuthenticationOptions, VerificationOptions } from "../server/options.ts";
import { renderRefusal } from "../server/refusal.ts";
import { checkScopes, readRequirements, readScopes } from "../server/requirements.ts";
import { resolveVerifier } from "../server/resolve-options.ts";
import { Verifier, type VerifierOptions } from "../server/verifier.ts";
import type { ExpressHandler, ExpressRequest, ExpressResponse } from "./http.ts";

/**
 * `tenantUrl` and `audience` are enough: any application of the tenant may then have issued the token, if it is for this
 * audience. With `applicationId` (or `SALLYPORT_APP_ID`), `azp` must be that application, and the audience may be left out.
 * `"any"` skips the check of the application, even if the environment names one.
 */
export interface RequireSessionOptions extends VerificationOptions, AuthenticationOptions {}

/**
 * Express middleware for the whole app or for one route. Verifies the Bearer token, else the access cookie, and sets `req.user`
 * to its claims. Answers 401 and 403 in the envelope with `WWW-Authenticate`, and 503 if it cannot check the token. Refuses
 * machine tokens unless `allowMachines`.
 * @throws SallyportError `configuration_error` that names the missing or wrong option
 */
export function requireSession(options: RequireSessionOptions = {}): ExpressHandler {
  const applicationId = readApplicationId(options.applicationId);
  const verifierOptions = resolveVerifier(options, applicationId);
  const verifierOf = verifiers(verifierOptions, options.fetch === undefined && options.now === undefined);
  const rules = readCredentialRules(options, verifierOptions.issuer, applicationId);
  const requirements = readRequirements(options);
  const allowUnauthenticated = options.allowUnauthenticated === true;
  return handler(async (request) => {
    const view = { method: request.method, header: (name: string) => headerOf(request, name) };
    const verifier = verifierOf(request.app);
    setUser(request, await authenticate(view, { verifier, rules, requirements, allowUnauthenticated }));
  });
}

/**
 * For routes behind `requireSession`: answers 403 `insufficient_scope` unless the token has all these scopes.
 * @param scope separated by spaces, or a list
 * @throws SallyportError `configuration_error` without a scope, or for a malformed scope
 */
export function requireScope(scope: string | readonly string[]): ExpressHandler {
  const scopes = readScopes(scope);
  if (scopes.length === 0) throw configurationError("requireScope needs at least one scope.");
  return handler(async (request) => {
    const claims = sessionOf(request);
    if (claims === null) throw refused("no_token");
    checkScopes(claims, scopes);
  });
}

/** Returns the claims that `requireSession` verified; null if it did not run or let the request pass without a token. */
export function sessionOf(request: object): AccessClaims | null {
  return sessions.get(request) ?? null;
}

/** Beside `req.user`, which any code may overwrite. */
const sessions = new WeakMap<object, AccessClaims>();

/** Sets null too: another middleware's value must not pass for verified claims. */
function setUser(request: ExpressRequest, claims: AccessClaims | null): void {
  if (claims === null) sessions.delete(request);
  else sessions.set(request, claims);
  (request as { user?: AccessClaims | undefined }).user = claims ?? undefined;
}

/** Runs `check` and calls the next handler, or answers its refusal. Other errors go to the application's error handler. */
function handler(check: (request: ExpressRequest) => Promise<void>): ExpressHandler {
  return (request, response, next) => {
    check(request).then(
      () => next(),
      (error: unknown) => {
        if (error instanceof SallyportError && error.code !== "configuration_error") refuse(response, error);
        else next(error);
      },
    );
  };
}

function refuse(response: ExpressResponse, error: SallyportError): void {
  const { status, headers, body } = renderRefusal(error);
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(JSON.stringify(body));
}

/**
 * Each application (`app`) has one verifier for one set of options, however many routes use it, because every verifier holds a
 * key set, a cache and a stream. Options that hold functions cannot be compared, so they get their own verifier.
 */
function verifiers(options: VerifierOptions, isShared: boolean): (app: unknown) => Verifier {
  let own: Verifier | null = null;
  const key = JSON.stringify(options);
  return (app) => {
    if (!isShared || (typeof app !== "function" && typeof app !== "object") || app === null) {
      own ??= new Verifier(options);
      return own;
    }
    const known = byApplication.get(app) ?? new Map<string, Verifier>();
    byApplication.set(app, known);
    const verifier = known.get(key) ?? new Verifier(options);
    known.set(key, verifier);
    return verifier;
  };
}

const byApplication = new WeakMap<object, Map<string, Verifier>>();

function readApplicationId(value: string | undefined): string | null {
  if (value === "any") return null;
  if (value === undefined && environment("SALLYPORT_APP_ID") === undefined) return null;
  return requireApplicationId(value);
}

/** Node joins most repeated headers and keeps the first of some. Ignores a list, which no header read here has. */
function headerOf(request: ExpressRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
}

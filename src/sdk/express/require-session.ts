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
 * `tenantUrl` and `audience` are enough: tokens of any application of the tenant that are meant for this audience. With
 * `applicationId` (or `SALLYPORT_APP_ID`) `azp` must be that application too, and the audience may be left out; `"any"` says
 * that it is not to be looked at, whatever the environment holds.
 */
export interface RequireSessionOptions extends VerificationOptions, AuthenticationOptions {}

/**
 * Express middleware, app-wide or for one route: verifies the Bearer token, else the access cookie, and sets `req.user` to its
 * claims. Answers 401 and 403 in the envelope with `WWW-Authenticate`, 503 when it cannot be told who is asking. Machine
 * tokens are refused unless `allowMachines`.
 * @throws SallyportError `configuration_error` saying which option is missing or wrong
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
 * For routes behind `requireSession`: 403 `insufficient_scope` unless the token has all of these.
 * @param scope separated by spaces, or a list
 * @throws SallyportError `configuration_error` for none at all, or for what is no scope
 */
export function requireScope(scope: string | readonly string[]): ExpressHandler {
  const scopes = readScopes(scope);
  if (scopes.length === 0) throw configurationError("requireScope needs a scope.");
  return handler(async (request) => {
    const claims = sessionOf(request);
    if (claims === null) throw refused("no_token");
    checkScopes(claims, scopes);
  });
}

/** The claims that `requireSession` found good; null where it did not run, or let somebody pass without. */
export function sessionOf(request: object): AccessClaims | null {
  return sessions.get(request) ?? null;
}

/** Beside `req.user`, which anybody may overwrite. */
const sessions = new WeakMap<object, AccessClaims>();

/** Null too: what another middleware may have put there is not ours, and must not pass for it. */
function setUser(request: ExpressRequest, claims: AccessClaims | null): void {
  if (claims === null) sessions.delete(request);
  else sessions.set(request, claims);
  (request as { user?: AccessClaims | undefined }).user = claims ?? undefined;
}

/** Runs `check` and goes on, or answers what it threw; what is no refusal goes to the application's error handler. */
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
 * Each application (`app`) has one verifier for one set of options, however many routes ask for it: every one holds a key set,
 * a cache and a stream. Options that hold functions cannot be compared, and have one of their own.
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

/** Node joins repeated headers, but for those where it keeps the first; a list is none of ours. */
function headerOf(request: ExpressRequest, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
}

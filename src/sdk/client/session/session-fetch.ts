import { configurationError, parseUrl } from "../../internal/errors.ts";
import type { Credential } from "../credential.ts";
import { refusalIn } from "../refusal.ts";
import { SecondChances } from "../second-chances.ts";
import type { Refused } from "../step-up.ts";

interface SessionFetchOptions {
  credential: Credential;
  /** Origins that may receive the token. */
  origins: ReadonlySet<string>;
  /** The appliance's origin, and the id that its calls carry: without it, the page could not read a refusal. */
  appliance: { origin: string; applicationId: string };
  /** Whether requests carry no cookies, unless the caller says so. */
  omitCookies: boolean;
}

/**
 * `fetch` with the session's token. Retries with another token if the answer says that the first is stale, or that the user
 * has to prove more.
 * @throws SallyportError `configuration_error` for an unlisted origin, because a receiver of the token can act as the user
 */
export function createSessionFetch({ credential, origins, appliance, omitCookies }: SessionFetchOptions) {
  return async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, omitCookies ? { credentials: "omit", ...init } : init);
    const origin = parseUrl(request.url)?.origin ?? "";
    if (!origins.has(origin)) {
      throw configurationError(`The access token may not be sent to ${origin}. Add it to createSession's \`origins\`.`);
    }
    if (origin === appliance.origin && !request.headers.has("x-application-id")) {
      request.headers.set("x-application-id", appliance.applicationId);
    }
    const token = await credential.token();
    if (token === null) return send(request, null);
    const chances = new SecondChances(credential);
    let [attempt, sent] = [request, token];
    for (;;) {
      // A body can be read only once. The copy is for the next attempt.
      const copy = attempt.clone();
      const response = await send(attempt, sent);
      const next = response.status === 401 ? await chances.next(await refusalOf(response), sent) : null;
      if (next === null) return response;
      [attempt, sent] = [copy, next];
    }
  };
}

function send(request: Request, token: string | null): Promise<Response> {
  if (token !== null) request.headers.set("authorization", `Bearer ${token}`);
  return globalThis.fetch(request);
}

async function refusalOf(response: Response): Promise<Refused> {
  const isJson = /\bjson\b/i.test(response.headers.get("content-type") ?? "");
  const body = isJson
    ? await response
        .clone()
        .json()
        .catch(() => null)
    : null;
  return { ...refusalIn(body), challenge: response.headers.get("www-authenticate") };
}

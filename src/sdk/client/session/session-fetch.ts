import { configurationError, parseUrl } from "../../internal/errors.ts";
import type { Credential } from "../credential.ts";
import { refusalIn } from "../refusal.ts";
import { SecondChances } from "../second-chances.ts";
import type { Refused } from "../step-up.ts";

interface SessionFetchOptions {
  credential: Credential;
  /** Origins that may be shown the token. */
  origins: ReadonlySet<string>;
}

/**
 * `fetch` with the session's token, tried once more with another one when the answer says that the first is stale, or that
 * the person has to prove more.
 * @throws SallyportError `configuration_error` for an origin that was not named: whoever is sent the token can act as the user
 */
export function createSessionFetch({ credential, origins }: SessionFetchOptions) {
  return async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const origin = parseUrl(request.url)?.origin ?? "";
    if (!origins.has(origin)) {
      throw configurationError(`The access token is not sent to ${origin}: name it in createSession's \`origins\`.`);
    }
    const token = await credential.token();
    if (token === null) return send(request, null);
    const chances = new SecondChances(credential);
    let [attempt, sent] = [request, token];
    for (;;) {
      // A body can be read once: the copy is for the next attempt.
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

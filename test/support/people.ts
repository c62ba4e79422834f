/** What a person's client does over HTTP, as plain requests. */
export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what the wire says, whatever that is.
  body: any;
  headers: Headers;
}

export const PASSWORD = "quartz lantern over seven bridges";

export async function call(
  url: string,
  path: string,
  options: { body?: unknown; bearer?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: options.body === undefined ? "GET" : "POST",
    headers: {
      ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      ...(options.bearer === undefined ? {} : { authorization: `Bearer ${options.bearer}` }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? null : JSON.parse(text), headers: response.headers };
}

export const signUp = (url: string, email: string) =>
  call(url, "/v1/auth/register", { body: { email, password: PASSWORD } });
export const signIn = (url: string, email: string, password = PASSWORD) =>
  call(url, "/v1/auth/login", { body: { email, password } });
export const refresh = (url: string, token: string) =>
  call(url, "/v1/auth/refresh", { body: { refresh_token: token } });
export const session = (url: string, token: string) => call(url, "/v1/auth/session", { bearer: token });
export const jwks = (url: string, path = "/.well-known/jwks.json") => call(url, path);

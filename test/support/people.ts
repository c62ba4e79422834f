/** Fields that an answer may hold. Only those of its status are present. */
export interface Body {
  access_token: string;
  refresh_token: string;
  user: { id: string; email: string };
  error: { code: string; message: string };
  keys: { kid: string; alg: string }[];
  data: Record<string, unknown>[];
  next_cursor: string | null;
}

export interface Answer {
  status: number;
  body: Body;
  headers: Headers;
}

export const PASSWORD = "quartz lantern over seven bridges";

/** Sends one request, as any HTTP client does. */
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
  return { status: response.status, body: JSON.parse(text || "null") as Body, headers: response.headers };
}

export const signUp = (url: string, email: string) =>
  call(url, "/v1/auth/register", { body: { email, password: PASSWORD } });
export const signIn = (url: string, email: string, password = PASSWORD) =>
  call(url, "/v1/auth/login", { body: { email, password } });
export const refresh = (url: string, token: string) =>
  call(url, "/v1/auth/refresh", { body: { refresh_token: token } });
export const session = (url: string, token: string) => call(url, "/v1/auth/session", { bearer: token });
export const jwks = (url: string, path = "/.well-known/jwks.json") => call(url, path);

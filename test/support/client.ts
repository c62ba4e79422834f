import type { WireSession } from "../../src/identity/sessions/wire.ts";
import type { WireManagedUser } from "../../src/identity/users/wire.ts";
import type { TestApp } from "./app.ts";

/**
 * The fields that answers may hold. Before a test reads a body, the contract has checked it against the description, so
 * a test names only the field that it tests.
 */
export interface Body {
  status: string;
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token: string | null;
  user: WireManagedUser;
  session: WireSession;
  organization: null;
  application: { id: string; name: string; type: string };
  ended: number;
  /** The flow of a mail that was announced. */
  flow_id: string;
  /** The id of an object that was made or read. */
  id: string;
  secret: string | null;
  otpauth_uri: string;
  qr_svg: string;
  mfa_token: string;
  mfa_token_expires_in: number;
  methods: string[];
  setup_required: boolean;
  recovery_codes: string[];
  trusted_device: string | null;
  passkey: { flow_id: string } | null;
  data: (WireSession & WireManagedUser & { kind: string; digest: string; issued_before: number })[];
  next_cursor: string | null;
  keys: Record<string, string>[];
  error: { code: string; message: string; type: string; request_id: string; details: unknown };
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Parsed JSON, or an empty object. */
  body: Body;
  cookies: Cookie[];
  /** The error's code, or undefined. */
  code: string | undefined;
}

export interface Cookie {
  name: string;
  value: string;
  /** Attribute names in lower case; a flag has the value "". */
  attributes: Record<string, string>;
}

export interface SendOptions {
  headers?: Record<string, string>;
  /** A body to send as JSON, with its content type. */
  json?: unknown;
  /** A body to send unchanged. */
  body?: BodyInit;
}

/** A caller. It records every answer, checks it against the published description, and remembers the secrets in it. */
export class Client {
  readonly answers: Answer[] = [];

  constructor(
    private readonly app: TestApp,
    private readonly headers: Record<string, string>,
    /** Cookies by name, as in a browser; null keeps none. */
    readonly jar: Map<string, Cookie> | null = null,
  ) {}

  /** Returns the same caller with more headers and the same jar. */
  with(headers: Record<string, string>): Client {
    return new Client(this.app, { ...this.headers, ...headers }, this.jar);
  }

  bearer(token: string): Client {
    return this.with({ authorization: `Bearer ${token}` });
  }

  get(path: string, options: SendOptions = {}): Promise<Answer> {
    return this.send("GET", path, options);
  }

  post(path: string, json: unknown = {}, options: SendOptions = {}): Promise<Answer> {
    return this.send("POST", path, options.body === undefined ? { json, ...options } : options);
  }

  patch(path: string, json: unknown): Promise<Answer> {
    return this.send("PATCH", path, { json });
  }

  delete(path: string, options: SendOptions = {}): Promise<Answer> {
    return this.send("DELETE", path, options);
  }

  async send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const headers: Record<string, string> = { ...this.headers, ...options.headers };
    // The public address may differ from the real one: Host carries its name, as a proxy would send it.
    headers.host ??= new URL(this.app.publicUrl).host;
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    if (options.json !== undefined) headers["content-type"] ??= "application/json";
    const { pathname } = new URL(path, this.app.url);
    const cookie = this.#cookieHeader(pathname);
    if (cookie && headers.cookie === undefined) headers.cookie = cookie;
    const init: RequestInit = { method, headers, redirect: "manual", ...(body === undefined ? {} : { body }) };
    const response = await fetch(this.app.url + path, init);
    return this.#record(method, path, pathname, response);
  }

  /** Makes one call on tRPC's wire. */
  query(name: string, input?: unknown): Promise<Answer> {
    const query = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
    return this.get(`/trpc/${name}${query}`);
  }

  mutate(name: string, input?: unknown): Promise<Answer> {
    return this.send("POST", `/trpc/${name}`, input === undefined ? {} : { json: input });
  }

  async #record(method: string, path: string, pathname: string, response: Response): Promise<Answer> {
    const text = await response.text();
    const isJson = response.headers.get("content-type") === "application/json";
    const body = (isJson && text !== "" ? JSON.parse(text) : {}) as Body;
    this.#remember(body);
    const cookies = response.headers.getSetCookie().map(parseCookie);
    for (const cookie of cookies) {
      if (cookie.attributes["max-age"] === "0") this.jar?.delete(cookie.name);
      else this.jar?.set(cookie.name, cookie);
      if (cookie.value !== "") this.app.secrets.add(cookie.value);
    }
    const { status, headers } = response;
    const answer: Answer = { status, headers, text, body, cookies, code: body.error?.code };
    this.answers.push(answer);
    this.#judge(method, path, pathname, answer);
    return answer;
  }

  #judge(method: string, path: string, pathname: string, { status, body, text, headers }: Answer): void {
    if (headers.get("x-request-id") === null) throw new Error(`${method} ${path} ${status} has no x-request-id`);
    if (method === "OPTIONS" && status === 204) return;
    if (method === "HEAD") return;
    const names = /^(?:\/t\/[^/]+)?\/trpc\/(.*)/.exec(pathname)?.[1];
    // A preflight does not call a procedure.
    if (names === undefined || method === "OPTIONS") {
      this.app.contract.check(method, pathname, status, text === "" ? undefined : body);
      return;
    }
    const items: unknown[] = Array.isArray(body) ? body : [body];
    const list = (/%(?![0-7])/.test(names) ? names : decodeURIComponent(names)).split(",");
    for (const [index, item] of items.entries()) this.app.contract.checkTrpc(list[index] ?? "", item);
  }

  #remember(body: Body): void {
    const items: unknown[] = Array.isArray(body) ? body : [body];
    for (const item of items) {
      const holder = ((item as { result?: { data: Body } }).result?.data ?? item) as Partial<Body>;
      if (holder.access_token) this.app.secrets.add(holder.access_token);
      if (holder.mfa_token) this.app.secrets.add(holder.mfa_token);
      if (holder.secret) this.app.secrets.add(holder.secret);
      if (holder.refresh_token) this.app.secrets.add(holder.refresh_token);
      if (holder.trusted_device) this.app.secrets.add(holder.trusted_device);
      // An export has only their number here.
      const codes = Array.isArray(holder.recovery_codes) ? holder.recovery_codes : [];
      for (const code of codes) this.app.secrets.add(code).add(code.replaceAll("-", ""));
    }
  }

  #cookieHeader(pathname: string): string {
    return [...(this.jar?.values() ?? [])]
      .filter(({ attributes }) => isUnder(pathname, attributes.path ?? "/"))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }
}

/** RFC 6265 section 5.1.4. */
function isUnder(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}

function parseCookie(header: string): Cookie {
  const [pair = "", ...rest] = header.split(/; */);
  const attributes: Record<string, string> = {};
  for (const attribute of rest) {
    const [name = "", value = ""] = attribute.split("=");
    attributes[name.toLowerCase()] = value;
  }
  const equals = pair.indexOf("=");
  return { name: pair.slice(0, equals), value: pair.slice(equals + 1), attributes };
}

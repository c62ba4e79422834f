import { randomUUID } from "node:crypto";
import { errorResponse } from "./issuer.ts";

export const CLIENT = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
/** Made at run time, with characters that a careless encoding would break. */
export const SECRET = `sally_cs_${randomUUID()}+/:%& ä`;

interface Received {
  method: string;
  path: string;
  search: URLSearchParams;
  authorization: string | null;
  idempotencyKey: string | null;
  body: unknown;
}

interface StoredUser {
  id: string;
  email: string | null;
  display_name: string | null;
  [field: string]: unknown;
}

/** The management API and its token endpoint, as product.md describes them, on a real socket. */
export class TestManagement implements AsyncDisposable {
  users: StoredUser[] = [];
  received: Received[] = [];
  /** The forms that the token endpoint received. */
  grants: URLSearchParams[] = [];
  lifetime = 900;
  time = Date.UTC(2026, 0, 1);
  /** The valid tokens. */
  tokens = new Set<string>();
  /** Answers before all else, to simulate faults. */
  override: (path: string, method: string) => Response | undefined | Promise<Response | undefined> = () => undefined;
  readonly #done = new Map<string, StoredUser>();
  readonly #server = Bun.serve({ port: 0, fetch: (request) => this.#answer(request) });

  get url(): string {
    return `http://localhost:${this.#server.port}`;
  }

  now = (): number => this.time;

  calls(path: string): Received[] {
    return this.received.filter((call) => call.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const text = await request.text();
    if (url.pathname === "/oauth2/token") return this.#token(request, text);
    const authorization = request.headers.get("authorization");
    const idempotencyKey = request.headers.get("idempotency-key");
    const body = text === "" ? undefined : JSON.parse(text);
    const { method } = request;
    this.received.push({ method, path: url.pathname, search: url.searchParams, authorization, idempotencyKey, body });
    const overridden = await this.override(url.pathname, method);
    if (overridden) return overridden;
    if (!this.tokens.has(authorization?.replace("Bearer ", "") ?? "")) {
      return errorResponse(401, "token_expired", "authentication_error");
    }
    if (url.pathname === "/v1/users") return method === "POST" ? this.#create(body, idempotencyKey) : this.#list(url);
    const user = this.users.find(({ id }) => url.pathname === `/v1/users/${id}`);
    if (!user) return errorResponse(404, "not_found", "not_found_error");
    if (method === "DELETE") {
      this.users = this.users.filter((other) => other !== user);
      return Response.json({ status: "success" });
    }
    if (method === "PATCH") Object.assign(user, body);
    return Response.json(user);
  }

  async #token(request: Request, text: string): Promise<Response> {
    const form = new URLSearchParams(text);
    this.grants.push(form);
    const overridden = await this.override("/oauth2/token", request.method);
    if (overridden) return overridden;
    const [id = "", secret = ""] = atob(request.headers.get("authorization")?.replace("Basic ", "") ?? "").split(":");
    const decode = (part: string) => new URLSearchParams(`v=${part}`).get("v");
    const type = request.headers.get("content-type");
    if (type !== "application/x-www-form-urlencoded" || decode(id) !== CLIENT || decode(secret) !== SECRET) {
      const error = { error: "invalid_client", error_description: "The client did not prove who it is." };
      return Response.json(error, { status: 401, headers: { "x-request-id": "req-7" } });
    }
    if (form.get("grant_type") !== "client_credentials" || form.get("audience") !== `${this.url}/management`) {
      return Response.json({ error: "invalid_target" }, { status: 400 });
    }
    const access_token = randomUUID();
    this.tokens.add(access_token);
    return Response.json({ access_token, token_type: "Bearer", expires_in: this.lifetime, scope: "admin" });
  }

  #create(body: Partial<StoredUser>, key: string | null): Response {
    const known = key === null ? undefined : this.#done.get(key);
    if (known) return Response.json(known, { status: 201 });
    const user = { id: randomUUID(), email: null, display_name: null, ...body };
    this.users.push(user);
    if (key !== null) this.#done.set(key, user);
    return Response.json(user, { status: 201 });
  }

  #list(url: URL): Response {
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const limit = Number(url.searchParams.get("limit") ?? 20);
    const email = url.searchParams.get("email");
    const users = this.users.filter((user) => email === null || user.email === email);
    const next = from + limit < users.length ? String(from + limit) : null;
    return Response.json({ data: users.slice(from, from + limit), next_cursor: next });
  }
}

import { meaningOf } from "./meanings.ts";

/** A request of this page. */
export interface LoggedRequest {
  id: number;
  at: Date;
  method: string;
  /** Without its query, which may hold an address. */
  path: string;
  /** null without an answer. */
  status: number | null;
  milliseconds: number;
  meaning: string;
  /** A refusal's error code. */
  code: string | null;
}

/** An authenticator app's secret that was just issued. */
export interface TotpSecret {
  secret: string;
  uri: string;
}

const KEPT = 50;

/** Every request of the session passes through here, so that the page can show it. Newest first. */
export class RequestLog {
  #requests: readonly LoggedRequest[] = [];
  #secret: TotpSecret | null = null;
  #count = 0;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly requests = (): readonly LoggedRequest[] => this.#requests;
  readonly secret = (): TotpSecret | null => this.#secret;

  readonly fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    const started = performance.now();
    const method = init?.method ?? "GET";
    const { pathname } = new URL(url, location.origin);
    const add = (status: number | null, body: unknown) => {
      const code = status === null ? "unreachable" : codeIn(body);
      this.#secret = secretIn(body) ?? this.#secret;
      const milliseconds = Math.round(performance.now() - started);
      const meaning = meaningOf(pathname, status, code, body);
      this.#add({ id: ++this.#count, at: new Date(), method, path: pathname, status, milliseconds, meaning, code });
    };
    try {
      const response = await fetch(url, init);
      add(response.status, await bodyOf(response));
      return response;
    } catch (error) {
      add(null, null);
      throw error;
    }
  };

  #add(request: LoggedRequest): void {
    this.#requests = [request, ...this.#requests.slice(0, KEPT - 1)];
    for (const listener of this.#listeners) listener();
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  return response
    .clone()
    .json()
    .catch(() => null);
}

/** Finds the first value of that name anywhere in an answer, because REST and tRPC wrap the same things differently. */
function find(body: unknown, name: string): unknown {
  if (typeof body !== "object" || body === null) return undefined;
  if (Object.hasOwn(body, name)) return (body as Record<string, unknown>)[name];
  for (const value of Object.values(body)) {
    const found = find(value, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function codeIn(body: unknown): string | null {
  const error = find(body, "error");
  if (error === undefined) return null;
  // In a tRPC answer, the envelope is part of its data, beside tRPC's own names for statuses.
  const code = find(find(find(error, "data"), "error") ?? error, "code");
  return typeof code === "string" ? code : null;
}

function secretIn(body: unknown): TotpSecret | null {
  const [uri, secret] = [find(body, "otpauth_uri"), find(body, "secret")];
  return typeof uri === "string" && typeof secret === "string" ? { secret, uri } : null;
}

/** A way to prove an identity, as the page lists it. */
export type Proof = "password" | "mail" | "passkey" | "totp";

const PROOFS: Record<Proof, RegExp> = {
  password: /^\/v1\/auth\/(register|login)$/,
  mail: /^\/v1\/auth\/email\/complete$|auth\.email\.verify/,
  passkey: /^\/v1\/auth\/passkey\/login\/complete$|me\.passkeys\.complete/,
  totp: /^\/v1\/auth\/mfa\/enable$/,
};

/** The proofs that have worked since the page was opened. */
export function provenIn(requests: readonly LoggedRequest[]): ReadonlySet<Proof> {
  const good = requests.filter(({ status, code }) => status !== null && status < 300 && code === null);
  const names = Object.keys(PROOFS) as Proof[];
  return new Set(names.filter((name) => good.some(({ path }) => PROOFS[name].test(path))));
}

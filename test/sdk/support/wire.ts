import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { dayOneRouter } from "./day-one-router.ts";

/** One received request. */
export interface Received {
  method: string;
  path: string;
  search: string;
  headers: Headers;
  body: string;
}

/** tRPC's own server behind the stand-in router, on a real socket, with REST's refresh beside it. */
export class TestWire implements AsyncDisposable {
  received: Received[] = [];
  /** Answers before all else, to simulate proxies and faults. */
  override: (request: Request) => Response | undefined = () => undefined;
  readonly #server = Bun.serve({ port: 0, fetch: (request) => this.#answer(request) });

  get url(): string {
    return `http://localhost:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const body = await request.clone().text();
    // Copied, because Bun frees a request's headers once it is answered.
    const headers = new Headers(request.headers);
    this.received.push({ method: request.method, path: url.pathname, search: url.search, headers, body });
    const overridden = this.override(request);
    if (overridden) return overridden;
    if (url.pathname === "/v1/auth/refresh") {
      const tokens = { access_token: `refreshed-${this.received.length}`, token_type: "Bearer", expires_in: 900 };
      return Response.json({ status: "success", ...tokens, refresh_token: null });
    }
    const createContext = () => ({ accessToken: "an-access-token" });
    return fetchRequestHandler({ endpoint: "/trpc", req: request, router: dayOneRouter, createContext });
  }
}

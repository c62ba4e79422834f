import type { RequestOrigin } from "../core/caller.ts";
import type { Application } from "../identity/applications/application.ts";
import type { ApplicationHints } from "../identity/applications/directory.ts";

/** One request, as procedures see it: who calls, from where, and what the answer carries beside its body. */
export interface Call {
  origin: RequestOrigin;
  /**
   * What a page cannot remove from its requests: `Origin` and `Sec-Fetch-Site`. Both null for everybody else.
   * (`Sec-Fetch-Mode` is no sign of a page: Node's fetch sends it.)
   */
  page: { origin: string | null; site: string | null };
  hints: ApplicationHints;
  /** The raw Authorization header. */
  authorization: string | null;
  /** The value of x-client-address: counts only beside a secret key with scope `forward`. */
  clientAddress: string | null;
  /** The value of idempotency-key: a creating call that may come again. */
  idempotencyKey: string | null;
  /** REST, or tRPC's wire: refresh by cookie is REST only. */
  transport: "rest" | "trpc";
  /** The application that the gate has settled on; null until then. */
  resolved: Application | null;
  /** The session cookies of an application, or of the default one. */
  cookies(application: Application): { access: string | null; refresh: string | null; device: string | null };
  /** True when the page stands on the appliance's own origin. */
  isOwnOrigin(origin: string): boolean;
  reply: Reply;
}

/** What the http room turns into Set-Cookie. */
export interface Reply {
  cookies: CookieChange[];
  /** In place of the status that the procedure is declared with. REST only. */
  status?: 202;
}

export type CookieChange =
  | { kind: "clear"; application: Application }
  /** A device that is not asked for a second factor again; `maxAge` in seconds, 0 to forget it. */
  | { kind: "device"; application: Application; secret: string; maxAge: number }
  | {
      kind: "set";
      application: Application;
      /** null: delivered in the body only. */
      accessToken: string | null;
      accessMaxAge: number;
      refreshToken: string;
      refreshMaxAge: number;
    };

export function isFromPage(call: Call): boolean {
  return call.page.origin !== null || call.page.site !== null;
}

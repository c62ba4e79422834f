import type { RequestOrigin } from "../core/caller.ts";
import type { Application } from "../identity/applications/application.ts";
import type { ApplicationHints } from "../identity/applications/directory.ts";

/** One request as procedures see it: the caller, the source, and the parts of the answer beside its body. */
export interface Call {
  origin: RequestOrigin;
  /**
   * `Origin` and `Sec-Fetch-Site`, which a page cannot remove from its requests. Both are null for other callers.
   * (`Sec-Fetch-Mode` does not prove a page: Node's fetch sends it.)
   */
  page: { origin: string | null; site: string | null };
  hints: ApplicationHints;
  /** The raw Authorization header. */
  authorization: string | null;
  /** The value of x-client-address. It counts only with a secret key with scope `forward`. */
  clientAddress: string | null;
  /** The value of idempotency-key: the caller may repeat this creating call. */
  idempotencyKey: string | null;
  /** REST or tRPC's wire. Only REST can refresh by cookie. */
  transport: "rest" | "trpc";
  /** The application that the gate has chosen; null before that. */
  resolved: Application | null;
  /** Returns the session cookies of an application, and the device cookie of its tenant. */
  cookies(application: Application): PresentedCookies;
  /** Whether the origin is the appliance's own for the application's tenant. */
  isOwnOrigin(origin: string, application: Application): boolean;
  reply: Reply;
}

/**
 * The cookies of one application, as the caller sent them. A browser may hold several of one name, for different paths or
 * domains, and their order proves nothing (RFC 6265 section 5.4). Each list has different values, and a few at most.
 */
export interface PresentedCookies {
  access: readonly string[];
  refresh: readonly string[];
  trustedDevice: readonly string[];
  device: string | null;
  /** The flows of the mails that this browser asked for lately, oldest first. */
  asked: readonly string[];
}

/** The http folder turns this into Set-Cookie headers and the status. */
export interface Reply {
  cookies: CookieChange[];
  /** Replaces the declared status of the procedure. REST only. */
  status?: 202;
}

export type CookieChange =
  | { kind: "clear"; application: Application }
  /** A device on which the user needs no second factor again. `maxAge` is in seconds; 0 forgets the device. */
  | { kind: "trusted-device"; application: Application; secret: string; maxAge: number }
  /** A device that has signed in. */
  | { kind: "device"; application: Application; secret: string; maxAge: number }
  /** The flows of the mails that this browser asked for. `maxAge` is in seconds. */
  | { kind: "asked"; application: Application; flowIds: readonly string[]; maxAge: number }
  | {
      kind: "set";
      application: Application;
      /** null if it is delivered only in the body. */
      accessToken: string | null;
      accessMaxAge: number;
      refreshToken: string;
      refreshMaxAge: number;
    };

export function isFromPage(call: Call): boolean {
  return call.page.origin !== null || call.page.site !== null;
}

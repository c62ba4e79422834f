import { AppError } from "../../core/errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { findSession, pageOfSessions } from "../../identity/sessions/public.ts";
import type { IssuedTokens } from "../../identity/sessions/sessions.ts";
import { toWireSession } from "../../identity/sessions/wire.ts";
import type { Call } from "../../rpc/call.ts";
import { CookieSessions, type SessionSources } from "../../rpc/cookie-sessions.ts";
import type { Admitted, AdmittedSession } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";

/** Errors that no later attempt with the same refresh token will change. */
const DEAD: ReadonlySet<string> = new Set(["invalid_credentials", "token_expired", "token_revoked"]);

/** Refreshes, lists and ends a person's own sessions. */
export class OwnSessions {
  readonly #cookieSessions: CookieSessions;

  constructor(private readonly identity: Pick<Identity, "accounts" | "sessions"> & SessionSources) {
    this.#cookieSessions = new CookieSessions(identity);
  }

  /** @throws AppError `authentication_required` if there is neither a token nor a cookie; see {@link RefreshService.refresh} */
  async refresh(caller: Admitted & { call: Call }, given: string | null): Promise<IssuedTokens> {
    const { call } = caller;
    const { application, origin } = caller.act;
    const cookie = given === null && call.transport === "rest";
    const token = cookie ? await this.#chosen(caller) : given;
    if (token === null) {
      throw new AppError("authentication_required", {
        message: "Send a refresh token, in the body or in its cookie.",
      });
    }
    // A cookie belongs by its name to the named (or the default) application. A token in the body names its own, and the
    // request must agree with it: the header names an application, the path or Host a tenant.
    const named = given === null || call.hints.header !== null;
    const expected = {
      applicationId: named ? application.id : null,
      tenantId: call.hints.tenantSlug === null ? null : application.tenant.id,
    };
    try {
      return await this.identity.refreshService.refresh(token, expected, origin);
    } catch (error) {
      throw cookie ? this.#refused(caller, error) : error;
    }
  }

  async #chosen(caller: Admitted & { call: Call }): Promise<string | null> {
    try {
      return await this.#cookieSessions.refresh(caller.call, caller.act.application);
    } catch (error) {
      throw this.#refused(caller, error);
    }
  }

  /**
   * Clears a cookie that is refused for good. Otherwise every later page load would send it and be refused. A cookie from the
   * time when its name belonged to another application is one of these.
   */
  #refused({ call, act }: Admitted & { call: Call }, error: unknown): unknown {
    if (!(error instanceof AppError)) return error;
    const isForeign = error.code === "application_mismatch";
    if (isForeign || DEAD.has(error.code)) call.reply.cookies.push({ kind: "clear", application: act.application });
    return isForeign ? new AppError("invalid_credentials", { message: "The refresh token is not valid here." }) : error;
  }

  async signOut({ act, session }: AdmittedSession, all: boolean): Promise<void> {
    const { accounts, storage, sessions } = this.identity;
    await storage.write(async (tx) => {
      const wasLive = await sessions.end(tx, act, session.sid, "logout");
      // A session that had already ended does not end others, so that an old token cannot end newer sessions.
      if (!all || !wasLive) return;
      await accounts.signOut(tx, act, session.user_id, { reason: "logout", keep: null, everyApplication: true });
    });
  }

  async list(caller: AdmittedSession, limit: number, cursor: string | null) {
    const after = cursor ?? "";
    const rows = await pageOfSessions(this.identity.storage.read, {
      userId: caller.session.user_id,
      applicationId: caller.act.application.id,
      now: this.identity.clock.now(),
      after,
      limit: limit + 1,
    });
    return cutPage(
      rows,
      limit,
      (row) => row.id,
      (row) => toWireSession(row, row.id === caller.session.sid),
    );
  }

  /** @throws AppError `not_found` unless this is a session of this user */
  async revoke({ act, session }: AdmittedSession, id: string): Promise<void> {
    const { storage, sessions } = this.identity;
    const target = await findSession(storage.read, id);
    if (!target || target.user_id !== session.user_id || target.application_id !== act.application.id) {
      throw new AppError("not_found");
    }
    await storage.write((tx) => sessions.end(tx, act, id, "revoked"));
  }

  /** Ends the sessions in every application: a thief of one of them may hold others. @returns how many */
  revokeOthers({ act, session }: AdmittedSession): Promise<number> {
    const { accounts, storage } = this.identity;
    const ending = { reason: "revoked", keep: session.sid, everyApplication: true } as const;
    return storage.write((tx) => accounts.signOut(tx, act, session.user_id, ending));
  }
}

import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import type { AuditEntriesTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Application } from "../applications/application.ts";
import { longestAccessTtl } from "../applications/store.ts";
import { appendAudit } from "../audit/store.ts";
import { insertRevocation } from "../revocations/store.ts";
import type { AccessTokens } from "./access-tokens.ts";
import type { RefreshTokens } from "./refresh-tokens.ts";
import { endSessionRow, liveSessionIds, type SessionBundle } from "./store.ts";

/** The tokens of one session as they leave, once. */
export interface IssuedTokens {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  refreshToken: string;
  /** Seconds until the refresh token expires. */
  refreshExpiresIn: number;
  session: SessionBundle;
  application: Application;
}

export type EndReason =
  | "logout"
  | "revoked"
  | "replaced"
  | "password_changed"
  | "factor_changed"
  | "address_undone"
  | "refresh_reuse"
  | "user_deleted";

interface Ending {
  tenantId: string;
  application: Application;
  actor: { kind: AuditEntriesTable["actor_kind"]; id: string | null };
  origin: RequestOrigin;
  reason: EndReason;
}

/** What happens to a session after it was made: its tokens, and its end. */
export class Sessions {
  constructor(
    private readonly clock: Clock,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
  ) {}

  /** Mints both tokens for the state that `session` tells. Called after the commit that made that state. */
  async issue(session: SessionBundle, application: Application): Promise<IssuedTokens> {
    const [accessToken, refreshToken] = await Promise.all([
      this.accessTokens.mint(session, application),
      this.refreshTokens.mint({
        sid: session.sid,
        generation: session.generation,
        issuedAt: session.refresh_issued_at,
        expiresAt: session.refresh_expires_at,
      }),
    ]);
    return {
      accessToken,
      expiresIn: application.accessTokenTtl,
      refreshToken,
      refreshExpiresIn: Math.max(0, Math.floor((session.refresh_expires_at - this.clock.now()) / SECOND)),
      session,
      application,
    };
  }

  /**
   * Ends one session and tells verifiers.
   * @param lifetime seconds that its access tokens may live: its own application's
   * @returns false when it had ended before
   */
  async end(
    tx: Executor,
    sid: string,
    ending: Ending,
    lifetime: number = ending.application.accessTokenTtl,
  ): Promise<boolean> {
    const now = this.clock.now();
    if (!(await endSessionRow(tx, sid, now, ending.reason))) return false;
    await insertRevocation(tx, now, {
      tenantId: ending.tenantId,
      kind: "sid",
      id: sid,
      issuedBefore: now + SECOND,
      expiresAt: now + (lifetime + 60) * SECOND,
    });
    await appendAudit(tx, now, {
      tenantId: ending.tenantId,
      actor: ending.actor,
      action: "session.ended",
      target: { kind: "session", id: sid },
      applicationId: ending.application.id,
      origin: ending.origin,
      details: { reason: ending.reason },
    });
    return true;
  }

  /** Ends a user's sessions but `keep`, in every application of the tenant or in the ending's own. @returns how many */
  async endAll(
    tx: Executor,
    userId: string,
    options: { keep: string | null; everyApplication: boolean },
    ending: Ending,
  ): Promise<number> {
    const live = async () => {
      const ids = await liveSessionIds(tx, userId, options.everyApplication ? null : ending.application.id);
      return ids.filter((id) => id !== options.keep);
    };
    // Another application's tokens may live longer than those of the one that asks.
    const lifetime = options.everyApplication ? await longestAccessTtl(tx, ending.tenantId) : undefined;
    let ended = 0;
    // Again until there are none: on PostgreSQL one that was just stepping up goes on under an id that was not there before.
    for (let ids = await live(); ids.length > 0; ids = await live()) {
      for (const id of ids) if (await this.end(tx, id, ending, lifetime)) ended++;
    }
    return ended;
  }
}

import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import type { Delivery, SessionsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Application } from "../applications/application.ts";
import { revokeTokens } from "../applications/revoke-tokens.ts";
import { userRef } from "../audit/act.ts";
import type { TrustedDevice } from "../factors/trusted-devices.ts";
import type { UserRow } from "../users/wire.ts";
import { ACCOUNT_SCOPE, type AccessTokens } from "./access-tokens.ts";
import type { RefreshTokens } from "./refresh-tokens.ts";
import {
  bundleOf,
  endSessionRow,
  findSession,
  insertSession,
  liveSessionIds,
  refreshesOf,
  type SessionBundle,
} from "./store.ts";

/** The tokens of one session. They leave the appliance once. */
export interface IssuedTokens {
  accessToken: string;
  /** In seconds. */
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
  | "factor_required"
  | "refresh_reuse"
  | "user_deleted";

/** The properties of a new session. */
export interface NewSession {
  method: string;
  /** RFC 8176 values. */
  amr: readonly string[];
  aal: "aal1" | "aal2";
  delivery: Delivery;
  /** null: the application's default audience. */
  audience: string | null;
  /** The trusted device that stood for the second factor. */
  trusted?: TrustedDevice | null;
  /** Whether a recovery code stood for the second factor without making two different factors. */
  standIn?: boolean;
}

/** Selects the sessions of a user that end. */
export interface Ending {
  reason: EndReason;
  /** The session that stays alive, or null. */
  keep: string | null;
  /** Whether sessions in the tenant's other applications end too. */
  everyApplication: boolean;
}

/** Begins sessions, issues their tokens, and ends them. */
export class Sessions {
  constructor(
    private readonly clock: Clock,
    private readonly accessTokens: AccessTokens,
    private readonly refreshTokens: RefreshTokens,
  ) {}

  /**
   * Begins a session in the transaction of the sign-in.
   * @param now ms, in whole seconds
   * @param user the user's row, as it is in this transaction
   */
  async begin(tx: Executor, now: number, act: Act, user: UserRow, made: NewSession): Promise<SessionBundle> {
    const { application, origin } = act;
    const { method, amr, aal, delivery } = made;
    const sid = newId(this.clock.now());
    const expiresAt = now + application.refreshAbsoluteTtl * SECOND;
    const audience = made.audience ?? application.defaultAudience;
    const row: SessionsTable = {
      id: sid,
      tenant_id: application.tenant.id,
      application_id: application.id,
      user_id: user.id,
      organization_id: null,
      aal,
      auth_method: method,
      amr: JSON.stringify(amr),
      authenticated_at: now,
      audience,
      scope: audience === application.defaultAudience ? ACCOUNT_SCOPE : "",
      delivery,
      user_agent: origin.userAgent,
      address: origin.address || null,
      generation: 1,
      refresh_issued_at: now,
      refresh_expires_at: Math.min(now + application.refreshIdleTtl * SECOND, expiresAt),
      rotated_at: null,
      created_at: now,
      last_seen_at: now,
      expires_at: expiresAt,
      ended_at: null,
      end_reason: null,
      trusted_device_id: made.trusted?.id ?? null,
      trusted_until: made.trusted?.expiresAt ?? null,
      is_stand_in: made.standIn ? 1 : 0,
    };
    insertSession(tx, row);
    await act.audit(tx, now, "session.created", { kind: "session", id: sid }, { method, aal });
    return bundleOf(row, user);
  }

  /**
   * Ends the session whose credential the next session overwrites in the same browser, even if it belongs to another user.
   * @returns false when it has already ended or belongs to another application
   */
  async replace(tx: Executor, act: Act, sid: string): Promise<boolean> {
    const before = await findSession(tx, sid);
    if (before?.application_id !== act.application.id) return false;
    return this.end(tx, act.by(userRef(before.user_id)), sid, "replaced");
  }

  /** Mints both tokens for the state in `session`. Call it after the commit of that state. */
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
   * @param applicationId its application; null if that is not known
   * @returns false when it has already ended
   */
  async end(
    tx: Executor,
    act: Act,
    sid: string,
    reason: EndReason,
    applicationId: string | null = act.application.id,
  ): Promise<boolean> {
    const now = this.clock.now();
    const ended = await endSessionRow(tx, sid, now, reason);
    if (!ended) return false;
    await revokeTokens(tx, now, { tenantId: act.application.tenant.id, applicationId, kind: "sid", id: sid });
    const details = { reason, refreshes: refreshesOf(ended) };
    await act.audit(tx, now, "session.ended", { kind: "session", id: sid }, details);
    return true;
  }

  /** Ends a user's sessions. @returns how many ended */
  async endAll(tx: Executor, act: Act, userId: string, ending: Ending): Promise<number> {
    const { reason, keep, everyApplication } = ending;
    // Tokens of another application may live longer than those of the caller's application.
    const applicationId = everyApplication ? null : act.application.id;
    const live = async () => {
      const ids = await liveSessionIds(tx, userId, applicationId);
      return ids.filter((sid) => sid !== keep);
    };
    let ended = 0;
    // Repeats until no session is left: on PostgreSQL, a session in the middle of a step-up continues under a new id that the
    // first query missed.
    for (let ids = await live(); ids.length > 0; ids = await live()) {
      for (const sid of ids) if (await this.end(tx, act, sid, reason, applicationId)) ended++;
    }
    return ended;
  }
}

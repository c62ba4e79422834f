import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Application } from "../applications/application.ts";
import type { Directory } from "../applications/directory.ts";
import { ActIn, ANONYMOUS, SYSTEM, userRef } from "../audit/act.ts";
import { refreshStep } from "../factors/policy.ts";
import type { SecondFactors } from "../factors/second-factors.ts";
import type { WriteBudgets } from "../limits/write-budgets.ts";
import { CLOCK_SKEW } from "./access-tokens.ts";
import { RefreshGrace } from "./refresh-grace.ts";
import type { RefreshClaims, RefreshTokens } from "./refresh-tokens.ts";
import type { IssuedTokens, Sessions } from "./sessions.ts";
import { advanceGeneration, findSession, type SessionBundle } from "./store.ts";

type Outcome = { session: SessionBundle } | { reused: true } | { gone: true };

/**
 * Spends each refresh token by one conditional UPDATE. Within the grace period the previous token returns its successor again,
 * with the same expiry. An older token is a stolen copy: the family ends (RFC 9700 section 4.14).
 */
export class RefreshService {
  readonly #grace: RefreshGrace;

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly directory: Directory,
    private readonly refreshTokens: RefreshTokens,
    private readonly sessions: Sessions,
    private readonly secondFactors: SecondFactors,
    private readonly writeBudgets: WriteBudgets,
  ) {
    this.#grace = new RefreshGrace(clock);
  }

  /**
   * Returns the session of a refresh token of any generation, for a sign-out.
   * @returns null unless this is a refresh token of a known session
   */
  async sessionOf(token: string): Promise<SessionBundle | null> {
    return (await this.named(token))?.session ?? null;
  }

  /** Like {@link sessionOf}, with the token's generation. */
  async named(token: string): Promise<{ session: SessionBundle; generation: number } | null> {
    const claims = this.refreshTokens.parse(token);
    const session = claims && (await findSession(this.storage.read, claims.sid));
    return session ? { session, generation: claims.generation } : null;
  }

  /**
   * Exchanges a refresh token.
   * @param expected the application and the tenant that the request names beside the token, or null
   * @throws AppError `invalid_credentials` unless it is a refresh token, `token_expired`, `token_revoked`,
   * `application_mismatch`, `rate_limited`
   */
  async refresh(
    token: string,
    expected: { applicationId: string | null; tenantId: string | null },
    origin: RequestOrigin,
  ): Promise<IssuedTokens> {
    const claims = this.refreshTokens.parse(token);
    if (!claims) throw new AppError("invalid_credentials", { message: "The refresh token is not valid here." });
    const before = await findSession(this.storage.read, claims.sid);
    if (!before) throw new AppError("token_revoked");
    const application = await this.directory.application(before.application_id);
    if (!application || application.disabled || application.tenant.disabled) throw new AppError("token_revoked");
    const { applicationId, tenantId } = expected;
    if (applicationId !== null && applicationId !== application.id) throw new AppError("application_mismatch");
    if (tenantId !== null && tenantId !== application.tenant.id) throw new AppError("application_mismatch");
    this.#checkAlive(before, claims);
    this.writeBudgets.spend(before.sid, 1);
    const act = new ActIn(application, origin, userRef(before.user_id));
    if (await this.#needsSignIn(application, before)) {
      await this.storage.write((tx) => this.sessions.end(tx, act.by(SYSTEM), before.sid, "factor_required"));
      throw new AppError("token_revoked", { message: "This application asks for a second factor now. Sign in again." });
    }
    const outcome = await this.#grace.during((rotated) =>
      this.storage.write(async (tx) => {
        const advanced = await this.#advance(tx, act, claims, before);
        if (advanced) rotated(advanced);
        return advanced ? { session: advanced } : this.#repeat(tx, act, claims);
      }),
    );
    if ("session" in outcome) return this.sessions.issue(outcome.session, application);
    throw new AppError("token_revoked");
  }

  #checkAlive(session: SessionBundle, claims: RefreshClaims): void {
    if (session.ended_at !== null || session.disabled_at !== null || session.deleted_at !== null) {
      throw new AppError("token_revoked");
    }
    const now = this.clock.now();
    if (session.expires_at <= now || session.refresh_expires_at <= now || claims.expiresAt <= now) {
      throw new AppError("token_expired");
    }
    // Refuses a token that was issued in the future: the clock was set back, and an expired token must not become valid again.
    if (claims.issuedAt > now + CLOCK_SKEW * SECOND) throw new AppError("token_expired");
  }

  /** Reads the user's factors only for a session from a trusted device, or from before the application asked anybody. */
  async #needsSignIn(application: Application, session: SessionBundle): Promise<boolean> {
    const step = refreshStep({ application, session, now: this.clock.now() });
    if (step !== "unless_enrolled") return step === "sign_in";
    const { user_id: userId, auth_method: method } = session;
    return (await this.secondFactors.enrolled(this.storage.read, userId, method)).length > 0;
  }

  /**
   * Spends the token. The session itself counts its refreshes, and its end writes the number to the audit log: an entry for each
   * refresh would fill the log faster than everything else. @returns null when another request was first, or the session has ended */
  async #advance(tx: Executor, act: Act, claims: RefreshClaims, before: SessionBundle): Promise<SessionBundle | null> {
    // In whole seconds: the successor is minted again from the row and must be identical.
    const now = Math.floor(this.clock.now() / SECOND) * SECOND;
    const expiresAt = Math.min(now + act.application.refreshIdleTtl * SECOND, before.expires_at);
    const generation = claims.generation + 1;
    const advanced = await advanceGeneration(tx, {
      id: claims.sid,
      generation: claims.generation,
      next: generation,
      now,
      refresh_expires_at: expiresAt,
    });
    if (!advanced) return null;
    return {
      ...before,
      generation,
      refresh_issued_at: now,
      refresh_expires_at: expiresAt,
      rotated_at: now,
      last_seen_at: now,
    };
  }

  /** Answers a token that was used before: the owner's retry, or a stolen copy. */
  async #repeat(tx: Executor, act: Act, claims: RefreshClaims): Promise<Outcome> {
    const current = await findSession(tx, claims.sid);
    if (!current || current.ended_at !== null || current.disabled_at !== null || current.deleted_at !== null) {
      return { gone: true };
    }
    if (this.#grace.covers(current, claims.generation)) return { session: current };
    await this.#endFamily(tx, act, current, claims);
    return { reused: true };
  }

  async #endFamily(tx: Executor, act: Act, session: SessionBundle, claims: RefreshClaims): Promise<void> {
    const generations = { generation: claims.generation, current_generation: session.generation };
    const target = { kind: "session", id: session.sid };
    await act.by(ANONYMOUS).audit(tx, this.clock.now(), "refresh_token.reused", target, generations);
    await this.sessions.end(tx, act.by(SYSTEM), session.sid, "refresh_reuse");
  }
}

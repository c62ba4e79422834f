import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import { appendAudit } from "../audit/store.ts";
import type { Application } from "../tenants/directory.ts";
import { findUser } from "../users/store.ts";
import { ACCOUNT_SCOPE } from "./access-tokens.ts";
import type { IssuedTokens, Sessions } from "./sessions.ts";
import { findSession, insertSession } from "./store.ts";

export interface SignIn {
  application: Application;
  origin: RequestOrigin;
  /** `password`, `passkey`, `social_oauth`, or the method's own name. */
  method: string;
  /** RFC 8176 values. */
  amr: readonly string[];
  aal: "aal1" | "aal2";
  delivery: Delivery;
  audience: string | null;
  organization: string | null;
  /**
   * Runs first in the transaction: re-checks what the slow part (a hash, a mail, an upstream) may have outlived, or makes
   * the user, and answers the user's id. @throws AppError to refuse
   */
  commit(tx: Executor, now: number): Promise<string>;
}

/**
 * The one way to a session. Every method ends in a call to {@link SignIns.complete}, which keeps the phases that all of them
 * share and that none can skip: account state, audience and organization, session, audit entry, tokens.
 */
export class SignIns {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly sessions: Sessions,
  ) {}

  /** @throws AppError `invalid_credentials` when the account is disabled or gone, `invalid_input` for a foreign audience */
  async complete(signIn: SignIn): Promise<IssuedTokens> {
    const { application } = signIn;
    const audience = this.#audience(signIn);
    const session = await this.storage.write(async (tx) => {
      // Whole seconds, so that the row and the claims of its tokens say the same instant.
      const now = Math.floor(this.clock.now() / SECOND) * SECOND;
      const userId = await signIn.commit(tx, now);
      const user = await findUser(tx, application.tenant.id, userId);
      if (!user || user.deleted_at !== null || user.disabled_at !== null) {
        throw new AppError("invalid_credentials");
      }
      if (signIn.organization !== null) {
        throw invalidField("organization", "this user is not a member of that organization");
      }
      const sid = newId(this.clock.now());
      const expiresAt = now + application.refreshAbsoluteTtl * SECOND;
      await insertSession(tx, {
        id: sid,
        tenant_id: application.tenant.id,
        application_id: application.id,
        user_id: user.id,
        organization_id: null,
        aal: signIn.aal,
        auth_method: signIn.method,
        amr: JSON.stringify(signIn.amr),
        authenticated_at: now,
        audience,
        scope: audience === application.defaultAudience ? ACCOUNT_SCOPE : "",
        delivery: signIn.delivery,
        user_agent: signIn.origin.userAgent,
        address: signIn.origin.address || null,
        generation: 1,
        refresh_issued_at: now,
        refresh_expires_at: Math.min(now + application.refreshIdleTtl * SECOND, expiresAt),
        rotated_at: null,
        created_at: now,
        last_seen_at: now,
        expires_at: expiresAt,
        ended_at: null,
        end_reason: null,
      });
      await appendAudit(tx, now, {
        tenantId: application.tenant.id,
        actor: { kind: "user", id: user.id },
        action: "session.created",
        target: { kind: "session", id: sid },
        applicationId: application.id,
        origin: signIn.origin,
        details: { method: signIn.method, aal: signIn.aal },
      });
      return findSession(tx, sid);
    });
    if (!session) throw new Error("a session that was just made is not there");
    return this.sessions.issue(session, application);
  }

  #audience({ application, audience }: SignIn): string {
    if (audience === null || audience === application.defaultAudience) return application.defaultAudience;
    if (application.audiences.includes(audience)) return audience;
    throw invalidField("audience", "is not an audience of this application");
  }
}

import type { RequestOrigin } from "../../core/caller.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Application } from "../../identity/applications/application.ts";
import { appendAudit } from "../../identity/audit/store.ts";
import type { Identity } from "../../identity/identity.ts";
import type { IssuedTokens } from "../../identity/sessions/sessions.ts";
import { insertUser } from "../../identity/users/store.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";

interface AnonymousRequest {
  application: Application;
  origin: RequestOrigin;
  metadata: JsonObject;
  delivery: Delivery;
  replaces: string | null;
}

export class AnonymousSignIn {
  constructor(private readonly identity: Identity) {}

  /**
   * Always makes a user of its own: nobody else's session, presented beside it, is looked at for more than what it replaces.
   * @throws AppError `forbidden` where the application does not name the method, `rate_limited`
   */
  async signIn(request: AnonymousRequest): Promise<IssuedTokens> {
    const { application, origin, delivery, replaces } = request;
    if (!application.signInMethods.has("anonymous")) {
      throw new AppError("forbidden", { message: "This application has no anonymous users." });
    }
    await this.identity.attempts.anonymous(application, origin);
    const outcome = await this.identity.signIns.complete({
      application,
      origin,
      method: "anonymous",
      amr: [],
      aal: "aal1",
      delivery,
      audience: null,
      organization: null,
      replaces,
      trustedDevice: null,
      commit: (tx, now) => this.#createUser(tx, now, request),
    });
    if (outcome.status !== "success") throw new Error("an anonymous user was asked for a second factor");
    return outcome.issued;
  }

  async #createUser(tx: Executor, now: number, { application, origin, metadata }: AnonymousRequest): Promise<string> {
    const id = newId(this.identity.clock.now());
    const tenantId = application.tenant.id;
    const public_metadata = JSON.stringify(metadata);
    await insertUser(tx, now, { id, tenant_id: tenantId, public_metadata, is_anonymous: 1 });
    await appendAudit(tx, now, {
      tenantId,
      actor: { kind: "user", id },
      action: "user.created",
      target: { kind: "user", id },
      applicationId: application.id,
      origin,
      details: { method: "anonymous" },
    });
    return id;
  }
}

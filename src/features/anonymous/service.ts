import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import type { IssuedTokens } from "../../identity/sessions/sessions.ts";
import { insertUser } from "../../identity/users/store.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";

interface AnonymousRequest {
  act: Act;
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
    const { act, delivery, replaces } = request;
    if (!act.application.signInMethods.has("anonymous")) {
      throw new AppError("forbidden", { message: "This application has no anonymous users." });
    }
    await this.identity.attempts.anonymous(act);
    const outcome = await this.identity.signIns.complete({
      act,
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

  async #createUser(tx: Executor, now: number, { act, metadata }: AnonymousRequest): Promise<string> {
    const id = newId(this.identity.clock.now());
    const public_metadata = JSON.stringify(metadata);
    await insertUser(tx, now, { id, tenant_id: act.application.tenant.id, public_metadata, is_anonymous: 1 });
    await act.by(userRef(id)).audit(tx, now, "user.created", userRef(id), { method: "anonymous" });
    return id;
  }
}

import { newId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import type { IssuedTokens } from "../../identity/sessions/sessions.ts";
import type { SignInRequest } from "../../identity/sign-in/sign-ins.ts";
import { insertUser } from "../../identity/users/public.ts";
import type { Executor } from "../../storage/storage.ts";

const METHOD = "anonymous";

export class AnonymousSignIn {
  constructor(private readonly identity: Pick<Identity, "attempts" | "clock" | "signIns">) {}

  /**
   * Always creates a new user. A session that comes with the request only tells which session to replace.
   * @throws AppError `forbidden` unless the application allows the method, `rate_limited`
   */
  async signIn(request: SignInRequest, metadata: JsonObject): Promise<IssuedTokens> {
    const { act } = request;
    const { attempts, signIns } = this.identity;
    signIns.requireMethod(act.application, METHOD);
    await attempts.anonymous(act);
    const outcome = await signIns.complete(request, {
      method: METHOD,
      amr: [],
      aal: "aal1",
      commit: (tx, now) => this.#createUser(tx, now, act, metadata),
    });
    if (outcome.status !== "success") throw new Error("an anonymous user was asked for a second factor");
    return outcome.issued;
  }

  async #createUser(tx: Executor, now: number, act: Act, metadata: JsonObject): Promise<string> {
    const id = newId(this.identity.clock.now());
    const public_metadata = JSON.stringify(metadata);
    await insertUser(tx, now, { id, tenant_id: act.application.tenant.id, public_metadata, is_anonymous: 1 });
    await act.by(userRef(id)).audit(tx, now, "user.created", userRef(id), { method: METHOD });
    return id;
  }
}

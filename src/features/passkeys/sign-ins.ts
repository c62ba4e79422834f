import type { Act } from "../../identity/applications/act.ts";
import type { Identity } from "../../identity/identity.ts";
import type { SignInOutcome, SignInRequest } from "../../identity/sign-in/sign-ins.ts";
import type { Assertions } from "./assertions.ts";
import type { Challenges } from "./challenges.ts";
import type { AssertionResponse } from "./wire.ts";

const METHOD = "passkey";

/**
 * Signs in by a passkey: the first factor, or both factors if it verifies its owner. The request names no user before the
 * answer.
 */
export class PasskeySignIns {
  constructor(
    private readonly identity: Pick<Identity, "attempts" | "signIns">,
    private readonly challenges: Challenges,
    private readonly assertions: Assertions,
  ) {}

  /** @throws AppError `forbidden`, `rate_limited` */
  async begin(act: Act) {
    this.identity.signIns.requireMethod(act.application, METHOD);
    await this.challenges.admit(act);
    return this.assertions.ask("passkey_sign_in", act.application, null, []);
  }

  /** @throws AppError `forbidden`, `invalid_code`, `rate_limited` */
  async complete(
    request: SignInRequest,
    { flowId, response }: { flowId: string; response: AssertionResponse },
  ): Promise<SignInOutcome> {
    const { act } = request;
    const { attempts, signIns } = this.identity;
    signIns.requireMethod(act.application, METHOD);
    // A signature cannot be guessed. The limit is on the work of checking it.
    const taken = await attempts.work(act, "proof");
    const purpose = "passkey_sign_in";
    const right = await this.assertions.check({ purpose, act, flowId, response, owner: null });
    return signIns.complete(request, {
      method: METHOD,
      amr: right.amr,
      aal: right.userVerified ? "aal2" : "aal1",
      userId: right.userId,
      keepsUser: true,
      commit: async (tx, now) => {
        await right.commit(tx, now);
        await taken.giveBack(tx);
        return right.userId;
      },
    });
  }
}

import { AppError } from "../../core/errors.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Application } from "../../identity/applications/application.ts";
import type { Identity } from "../../identity/identity.ts";
import type { SignInOutcome } from "../../identity/sessions/sign-in.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Assertions } from "./assertions.ts";
import type { Challenges } from "./challenges.ts";
import type { AssertionResponse } from "./wire.ts";

interface PasskeySignIn {
  act: Act;
  flowId: string;
  response: AssertionResponse;
  delivery: Delivery;
  audience: string | null;
  organization: string | null;
  replaces: string | null;
  trustedDevice: string | null;
}

/** A passkey as the first and, where it verifies its owner, as the only factor. Nobody is named before the answer. */
export class PasskeySignIns {
  constructor(
    private readonly identity: Identity,
    private readonly challenges: Challenges,
    private readonly assertions: Assertions,
  ) {}

  /** @throws AppError `forbidden`, `rate_limited` */
  async begin(act: Act) {
    requirePasskeys(act.application);
    await this.challenges.admit(act);
    return this.assertions.ask("passkey_sign_in", act.application, null, []);
  }

  /** @throws AppError `forbidden`, `invalid_code`, `rate_limited` */
  async complete(signIn: PasskeySignIn): Promise<SignInOutcome> {
    const { act, flowId, response } = signIn;
    requirePasskeys(act.application);
    const { attempts, settings, signIns } = this.identity;
    // Nobody guesses a signature; what is counted is the work of checking it.
    await attempts.take(act, [[`network:${act.origin.network}`, settings.limit_network]]);
    const purpose = "passkey_sign_in";
    const right = await this.assertions.check({ purpose, act, flowId, response, owner: null });
    return signIns.complete({
      act,
      method: "passkey",
      amr: right.amr,
      aal: right.userVerified ? "aal2" : "aal1",
      delivery: signIn.delivery,
      audience: signIn.audience,
      organization: signIn.organization,
      replaces: signIn.replaces,
      trustedDevice: signIn.trustedDevice,
      commit: async (tx, now) => {
        await right.commit(tx, now);
        return right.userId;
      },
    });
  }
}

function requirePasskeys(application: Application): void {
  if (application.signInMethods.has("passkey")) return;
  throw new AppError("forbidden", { message: "This application does not take passkeys." });
}

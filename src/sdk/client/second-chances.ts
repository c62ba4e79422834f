import type { Credential } from "./credential.ts";
import { isStaleAnswer } from "./refusal.ts";
import { type Refused, readNeed } from "./step-up.ts";

/**
 * The tokens that a refused call may be tried with again: one that is not stale, one that says more of the person, and
 * each of the two once. A call that needs a step-up is never answered by a refresh: it would be refused again.
 */
export class SecondChances {
  #isRenewed = false;
  #isRisen = false;

  /** @param mayAsk whether the person may be asked to prove more */
  constructor(
    private readonly credential: Credential,
    private readonly mayAsk = true,
  ) {}

  /**
   * @param refused a 401
   * @param rejected the token that went with the call
   * @returns null when the refusal stands
   */
  async next(refused: Refused, rejected: string): Promise<string | null> {
    const need = readNeed(refused);
    let token: Promise<string | null>;
    if (need) {
      if (this.#isRisen || !this.mayAsk) return null;
      this.#isRisen = true;
      token = this.credential.stepUp(need, rejected);
    } else {
      if (this.#isRenewed || !isStaleAnswer(refused.code, refused.challenge)) return null;
      this.#isRenewed = true;
      token = this.credential.renew(rejected);
    }
    const next = await token.catch(() => null);
    return next === rejected ? null : next;
  }
}

import { SallyportError } from "../internal/errors.ts";
import type { Credential } from "./credential.ts";
import { isStaleAnswer } from "./refusal.ts";
import { type Refused, readNeed } from "./step-up.ts";

/**
 * The tokens with which to retry a refused call: a fresh token, and a token after a step-up, each of them once. A refresh
 * never answers a call that needs a step-up, because the appliance would refuse it again.
 */
export class SecondChances {
  #isRenewed = false;
  #isRisen = false;

  /** @param mayAsk whether the user may be asked to prove more */
  constructor(
    private readonly credential: Credential,
    private readonly mayAsk = true,
  ) {}

  /**
   * @param refused a 401
   * @param rejected the token that the call carried
   * @returns null if the refusal is final
   * @throws SallyportError if no answer tells whether there is another token: the caller would take the refusal for the
   * session's end
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
    const next = await token.catch((error: unknown) => {
      if (!need && error instanceof SallyportError && isPassing(error)) throw error;
      return null;
    });
    return next === rejected ? null : next;
  }
}

/** Whether the failure says nothing about the session: no answer, or an appliance that cannot answer now. */
function isPassing({ status }: SallyportError): boolean {
  return status >= 502 || status === 429;
}

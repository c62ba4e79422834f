import { SallyportError } from "../../internal/errors.ts";
import { isRefusal, nobody } from "./refusals.ts";
import type { SessionRequests } from "./requests.ts";
import { requireRefreshToken, type Vault } from "./vault.ts";

/** Exchanges the refresh token of an app without cookies. Every method needs the vault's lock. */
export class AppTokens {
  constructor(
    readonly vault: Vault,
    private readonly requests: SessionRequests,
  ) {}

  /** Spends the stored token. @throws SallyportError `authentication_required` if there is none; a refusal; no answer */
  async spend(): Promise<unknown> {
    const send = (token: string) => this.requests.post("/v1/auth/refresh", { refresh_token: token });
    const answer = await this.vault.spend(send, isRefusal);
    if (answer === null) throw nobody();
    return answer;
  }

  /**
   * Stores the refresh token of an answer. A sign-in first ends the session that the app did not finish leaving.
   * @returns the storage's failure, if any: the session lives in memory, and the next {@link spend} stores the token
   */
  async keep(answer: unknown, isSignIn: boolean): Promise<SallyportError | null> {
    const token = requireRefreshToken(answer);
    try {
      if (isSignIn) await this.endLeft().catch(() => this.vault.left());
      await this.vault.save(token);
      return null;
    } catch (error) {
      if (error instanceof SallyportError) return error;
      throw error;
    }
  }

  /** Ends the session that the vault has noted, if any. @throws SallyportError if that cannot be done now: the note stays */
  async endLeft(): Promise<void> {
    const left = await this.vault.leaving();
    if (left === null) return;
    try {
      await this.requests.end(left);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    await this.vault.left();
  }
}

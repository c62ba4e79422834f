import { SallyportError } from "../../internal/errors.ts";
import type { MfaRequired, User } from "../api.gen.ts";
import type { ClientInternals, Credential } from "../credential.ts";
import { openChannel, type TabChannel, type TabMessage } from "./channel.ts";
import { HeldToken, type ReadClocks } from "./held-token.ts";
import { createLock, type Lock } from "./lock.ts";
import { requireTokens, type SessionRequests } from "./requests.ts";
import { Schedule } from "./schedule.ts";
import { cookiesWithheld } from "./site.ts";
import { readClaims, type SessionStates, type SignedOutReason } from "./state.ts";

interface KeeperOptions {
  client: ClientInternals;
  requests: SessionRequests;
  states: SessionStates;
  readClocks: ReadClocks;
  pageOrigin: string;
}

/**
 * Keeps one access token in this page's memory, replaced by the refresh cookie, which no script can read. Whatever sets,
 * spends or clears that cookie runs in a lock across tabs, so that answers come in the order in which cookies are set.
 */
export class Keeper implements Credential {
  readonly #options: KeeperOptions;
  readonly #states: SessionStates;
  readonly #lock: Lock;
  readonly #channel: TabChannel;
  readonly #schedule: Schedule;
  #held: HeldToken | null = null;
  /** Who is signed in has changed as often: an answer to what was asked before the last change is dropped. */
  #epoch = 0;
  #running: Promise<string | null> | null = null;
  /** Whether the refresh cookie was ever seen to reach the appliance from this page. */
  #cookieFlows = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#states = options.states;
    const name = `sallyport ${options.client.url} ${options.client.applicationId}`;
    this.#lock = createLock(name);
    this.#channel = openChannel(name, (message) => this.#hear(message));
    this.#schedule = new Schedule({ check: () => this.#check() });
    this.#check();
  }

  /** @throws SallyportError when the appliance cannot be reached and there is no token left that is good */
  token(): Promise<string | null> {
    return this.tokenFor(this.#held?.ahead ?? 0);
  }

  /** @param validity seconds that it should be good for; a token that never is, is answered all the same */
  async tokenFor(validity: number): Promise<string | null> {
    if (this.#states.current.status === "signed-out") return null;
    const held = this.#held;
    // Who asks for more than a token's whole life would refresh at each call.
    if (held && held.remaining > Math.min(validity, held.expiresIn * 0.9)) return held.value;
    try {
      return await this.refresh();
    } catch (error) {
      if (held && held === this.#held && held.remaining > 0) return held.value;
      throw error;
    }
  }

  async renew(rejected: string): Promise<string | null> {
    const held = this.#held;
    if (held && held.value !== rejected && held.remaining > 0) return held.value;
    return this.#states.current.status === "signed-out" ? null : this.refresh();
  }

  /**
   * One at a time; who asks meanwhile shares the answer.
   * @returns null when nobody is signed in (any more)
   * @throws SallyportError when that cannot be learned: who is signed in stays as it is
   */
  refresh(): Promise<string | null> {
    if (this.#running) return this.#running;
    const epoch = this.#epoch;
    const running = this.#lock(() => this.#refresh(epoch)).finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  /** Signs in by a request that answers with tokens. Another person who was signed in is so no longer. */
  enter(path: string, body: object): Promise<{ status: "success"; user: User } | MfaRequired> {
    return this.#lock(async () => {
      const askedAt = this.#options.readClocks();
      const answer = await this.#options.requests.post(path, { ...body, delivery: "memory" });
      // A first factor is no session: it is the caller's to go on with, and is kept nowhere.
      if ((answer as Partial<MfaRequired>).status === "mfa_required") return answer as MfaRequired;
      this.#change();
      const { user, sid } = this.#hold(answer, askedAt);
      this.#channel.tell({ type: "signed-in", sid });
      return { status: "success", user };
    });
  }

  /** @throws SallyportError when the appliance cannot be told: the session and its cookie go on, and so does this page's */
  leave(all: boolean): Promise<void> {
    return this.#lock(async () => {
      const post = (token: string | null) => this.#options.requests.post("/v1/auth/logout", { all }, token);
      try {
        // A token that is refused must not save the cookie, which would sign in again at the next load.
        const token = this.#held?.value ?? null;
        await post(token).catch((error: unknown) => (token !== null && isRefusal(error) ? post(null) : refuse(error)));
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
      this.#end("sign-out");
    });
  }

  close(): void {
    this.#change();
    this.#schedule.close();
    this.#channel.close();
  }

  async #refresh(epoch: number): Promise<string | null> {
    // Another tab changed who is signed in, or this one did, while the lock was awaited: the answer would be of the past.
    if (epoch !== this.#epoch && this.#states.current.status === "signed-out") return null;
    const now = this.#epoch;
    try {
      const askedAt = this.#options.readClocks();
      const answer = await this.#options.requests.post("/v1/auth/refresh", {});
      if (now !== this.#epoch) return this.#superseded();
      this.#cookieFlows = true;
      return this.#hold(answer, askedAt).token;
    } catch (error) {
      if (now !== this.#epoch) return this.#superseded();
      return this.#refused(error);
    }
  }

  /** Asked of a session that this page is no longer about. */
  #superseded(): string | null {
    return this.#held?.value ?? null;
  }

  async #refused(error: unknown): Promise<null> {
    const held = this.#held;
    if (isRefusal(error)) {
      if (held && !this.#cookieFlows && (await this.#lives(held))) return this.#fail(this.#withheld());
      this.#end(this.#states.current.status === "signed-in" ? "ended" : "none");
      return null;
    }
    return this.#fail(error);
  }

  /** No cookie came along since this page signed in: did somebody sign out elsewhere, or does it never come? */
  async #lives(held: HeldToken): Promise<boolean> {
    return held.remaining > 0 && this.#options.requests.isAlive(held.value).catch(() => false);
  }

  #withheld(): SallyportError {
    return cookiesWithheld(this.#options.pageOrigin, this.#options.client.url);
  }

  /** Tells the failure, changes nothing else, and tries again later. */
  #fail(error: unknown): never {
    const { current } = this.#states;
    const told = error instanceof SallyportError ? error : null;
    if (current.status === "loading" && told && isFinal(told)) {
      this.#states.set({ status: "signed-out", user: null, session: null, reason: "none", error: told });
    } else {
      this.#states.set({ ...current, error: told });
      this.#schedule.retryLater(told?.retryAfter ?? null);
    }
    throw error;
  }

  #hold(answer: unknown, askedAt: ReturnType<ReadClocks>): { token: string; user: User; sid: string } {
    const tokens = requireTokens(this.#options.client.url, answer);
    const session = readClaims(tokens.access_token);
    if (session === null) throw requireTokens(this.#options.client.url, null);
    this.#held = new HeldToken(tokens.access_token, tokens.expires_in, askedAt, this.#options.readClocks);
    this.#states.set({ status: "signed-in", user: tokens.user, session, error: null });
    this.#schedule.renewIn(this.#held.remaining - this.#held.ahead);
    return { token: tokens.access_token, user: tokens.user, sid: session.sid };
  }

  #end(reason: SignedOutReason): void {
    const sid = this.#states.current.session?.sid;
    this.#change();
    this.#held = null;
    this.#schedule.rest();
    this.#states.set({ status: "signed-out", user: null, session: null, error: null, reason });
    if (sid !== undefined) this.#channel.tell({ type: "signed-out", sid });
  }

  #change(): void {
    this.#epoch++;
    this.#running = null;
  }

  #hear({ type, sid }: TabMessage): void {
    const { current } = this.#states;
    if (type === "signed-out") {
      // Told of another session than this tab's, it is news of the past.
      if (current.session?.sid !== sid) return;
      this.#change();
      this.#held = null;
      this.#schedule.rest();
      this.#states.set({ status: "signed-out", user: null, session: null, error: null, reason: "sign-out" });
      return;
    }
    if (current.session?.sid === sid) return;
    // The cookie is another session's now. Until it is known whose, nothing is sent in the name of the one before.
    this.#change();
    this.#held = null;
    this.#states.set({ status: "loading", user: null, session: null, error: null });
    this.#check();
  }

  #check(): void {
    const held = this.#held;
    const { status, error } = this.#states.current;
    if (status === "signed-out") return;
    const isFresh = held !== null && held.remaining > held.ahead;
    // A failure stands in the state until an attempt has gone well.
    if (isFresh && error === null) this.#schedule.renewIn(held.remaining - held.ahead);
    else this.refresh().catch(() => {});
  }
}

/** The credential was refused, rather than the question left without an answer. */
function isRefusal(error: unknown): boolean {
  return error instanceof SallyportError && error.status === 401;
}

/** Asking again would be answered the same: the page is set up wrongly. */
function isFinal({ status }: SallyportError): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

function refuse(error: unknown): never {
  throw error;
}

import { SallyportError } from "../../internal/errors.ts";
import type { ClientInternals, Credential } from "../credential.ts";
import { SecondChances } from "../second-chances.ts";
import { type OnStepUp, type StepUpNeed, StepUps } from "../step-up.ts";
import { AppTokens } from "./app-tokens.ts";
import { openChannel, type TabChannel, type TabMessage } from "./channel.ts";
import { HeldToken, type ReadClocks } from "./held-token.ts";
import { LeaveMark } from "./leave-mark.ts";
import { createLock, type Lock, SHORT_PATIENCE } from "./lock.ts";
import { isFinal, isRefusal, nobody } from "./refusals.ts";
import { requireTokens, type SessionRequests } from "./requests.ts";
import { Schedule } from "./schedule.ts";
import { cookiesWithheld } from "./site.ts";
import { readClaims, type SessionStates, type SignedOutReason } from "./state.ts";
import type { Vault } from "./vault.ts";

/** Seconds before the next attempt of a page that is set up wrongly. */
const FINAL_PAUSE = 60;

interface KeeperOptions {
  client: ClientInternals;
  requests: SessionRequests;
  states: SessionStates;
  readClocks: ReadClocks;
  /** null without a page. */
  pageOrigin: string | null;
  /** Keeps the refresh token of an app without cookies; null in a page. */
  vault: Vault | null;
  /** Returns the current step-up handler, if any. */
  stepUpHandler: () => OnStepUp | undefined;
}

/**
 * Keeps one access token in this page's memory and replaces it with the refresh cookie, which no script can read. Every request
 * that sets, spends or clears that cookie holds a lock across tabs, so answers arrive in the order in which cookies are set. In
 * an app without cookies, a vault keeps the refresh token instead.
 */
export class Keeper implements Credential {
  readonly #options: KeeperOptions;
  readonly #states: SessionStates;
  readonly #lock: Lock;
  readonly #channel: TabChannel;
  readonly #schedule: Schedule;
  readonly #stepUps: StepUps;
  readonly #leaveMark: LeaveMark;
  /** null in a page. */
  readonly #appTokens: AppTokens | null;
  #held: HeldToken | null = null;
  /** Whether the appliance has still to hear of a sign-out. */
  #isLeaving = false;
  /** How often the signed-in user has changed. Answers to requests from before the last change are dropped. */
  #epoch = 0;
  #running: Promise<string | null> | null = null;
  /** Whether the refresh cookie has reached the appliance from this page at least once. */
  #cookieFlows = false;
  /** The code of the failure that was logged last. */
  #logged: string | null = null;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#states = options.states;
    const name = `sallyport ${options.client.url} ${options.client.applicationId}`;
    const { vault } = options;
    this.#appTokens = vault && new AppTokens(vault, options.requests);
    this.#lock = vault?.lock ?? createLock(name);
    this.#leaveMark = new LeaveMark(`${name} sign-out`);
    const hear = (message: TabMessage) => this.#hear(message);
    this.#channel = vault ? vault.open(hear) : openChannel(name, hear);
    this.#schedule = new Schedule({ check: () => this.#check() }, vault === null);
    this.#stepUps = new StepUps(options.stepUpHandler, () => this.token());
    this.#check();
  }

  /** The signed-in user's address. @throws SallyportError `authentication_required` without a user or without an address */
  get email(): string {
    const email = this.#states.current.user?.email;
    if (!email) throw nobody();
    return email;
  }

  /** @throws SallyportError if the appliance cannot be reached and no valid token is left */
  token(): Promise<string | null> {
    return this.tokenFor(this.#held?.ahead ?? 0);
  }

  /** @param validity the seconds that it should last; a token with a shorter life is returned all the same */
  async tokenFor(validity: number): Promise<string | null> {
    if (this.#states.current.status === "signed-out") return null;
    const held = this.#held;
    // Otherwise a caller that asks for more than a token's whole life would refresh at each call.
    if (held && held.remaining > Math.min(validity, held.expiresIn * 0.9)) return held.value;
    try {
      return await this.refresh();
    } catch (error) {
      if (held && held === this.#held && held.remaining > 0) return held.value;
      throw error;
    }
  }

  /** Never returns another user's token: a call of one user must not run in the name of the next. */
  async renew(rejected: string): Promise<string | null> {
    const person = readClaims(rejected)?.sub;
    const held = this.#held;
    const isFresh = held !== null && held.value !== rejected && held.remaining > 0;
    if (!isFresh && this.#states.current.status === "signed-out") return null;
    const token = isFresh ? held.value : await this.refresh();
    return this.#states.current.session?.sub === person ? token : null;
  }

  stepUp(need: StepUpNeed, rejected: string): Promise<string | null> {
    return this.#stepUps.rise(need, rejected);
  }

  /**
   * Runs one refresh at a time; callers that come meanwhile share its answer.
   * @returns null if nobody is signed in, or no longer
   * @throws SallyportError if that cannot be learned; the signed-in user stays the same
   */
  refresh(): Promise<string | null> {
    if (this.#running) return this.#running;
    const epoch = this.#epoch;
    const running = this.#lock(() => this.#refresh(epoch), SHORT_PATIENCE).finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  /**
   * Asks for a session. Tokens in the answer become this page's, and the user who was signed in before no longer is. Half a
   * sign-in (`mfa_required`, `sent`) is stored nowhere: the caller continues it.
   */
  enter(path: string, body: object, token: string | null = null): Promise<unknown> {
    return this.#lock(async () => {
      // The new session replaces a session that another page did not finish leaving.
      if (!this.#appTokens) this.#leaveMark.clear();
      const askedAt = this.#options.readClocks();
      const answer = await this.#options.requests.post(path, body, token);
      const { status } = (answer ?? {}) as { status?: unknown };
      if (status === "mfa_required" || status === "sent") return answer;
      const before = this.#states.current.session;
      const unsaved = (await this.#appTokens?.keep(answer, true)) ?? null;
      this.#change();
      const { user, sid } = this.#hold(answer, askedAt, unsaved);
      this.#channel.broadcast({ type: "signed-in", sid, replaces: before?.sub === user.id ? before.sid : null });
      return answer;
    });
  }

  /**
   * Runs work that needs the session's token, and retries with another token if the first is refused as stale or too weak.
   * @throws SallyportError `authentication_required` if nobody is signed in
   */
  async authorized<T>(work: (token: string) => Promise<T>, mayAsk = true): Promise<T> {
    const chances = new SecondChances(this, mayAsk);
    let token = await this.token();
    for (;;) {
      if (token === null) throw nobody();
      const sent: string = token;
      try {
        return await work(sent);
      } catch (error) {
        if (!(error instanceof SallyportError) || !isRefusal(error)) throw error;
        token = await chances.next({ code: error.code, details: error.details, challenge: null }, sent);
        if (token === null) throw error;
      }
    }
  }

  /** Deletes the session's account, and the session with it. */
  erase(): Promise<void> {
    const work = (token: string) =>
      this.#leaving(() => this.#options.requests.send("DELETE", "/v1/me", undefined, token));
    return this.authorized(work);
  }

  /** @throws SallyportError if the appliance cannot be reached: the session, its cookie and this page's token stay */
  leave(): Promise<void> {
    const tokens = this.#appTokens;
    if (!tokens) return this.#leaving(() => this.#logOut());
    return this.#lock(async () => {
      await tokens.vault.leave(this.#held?.value ?? null);
      this.#end("sign-out");
      await this.#endLeft(tokens);
    });
  }

  /**
   * Ends all of the user's sessions. This takes a valid token: a refresh cookie ends only its own session.
   * @throws SallyportError if the user's other sessions have not ended. `authentication_required`: nobody is signed in, or no
   * longer
   */
  leaveEverywhere(): Promise<void> {
    const work = (token: string) =>
      this.#leaving(() => this.#options.requests.post("/v1/auth/logout", { all: true }, token));
    return this.authorized(work);
  }

  close(): void {
    this.#change();
    this.#schedule.close();
    this.#channel.close();
  }

  /** Runs work that ends the session. A page that is loaded before the answer arrives finishes a sign-out instead. */
  #leaving(work: () => Promise<unknown>): Promise<void> {
    return this.#lock(async () => {
      this.#leaveMark.set(this.#states.current.session?.sid);
      try {
        await work();
      } finally {
        this.#leaveMark.clear();
      }
      // The token is worthless now. If it stays, the appliance refuses it at the next start.
      await this.#appTokens?.vault.remove().catch(() => {});
      this.#end("sign-out");
    });
  }

  /** Ends this session and its cookie. Succeeds if the session is over already. */
  async #logOut(): Promise<void> {
    const post = (token: string | null) => this.#options.requests.post("/v1/auth/logout", {}, token);
    try {
      // The cookie must go even if the token is refused: it would sign the user in again at the next load.
      const token = this.#held?.value ?? null;
      await post(token).catch((error: unknown) => (token !== null && isRefusal(error) ? post(null) : refuse(error)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  /** Ends the session that a page was leaving when it was closed or loaded again. @returns false if there is none */
  async #finishLeaving(): Promise<boolean> {
    if (this.#appTokens) return this.#finishLeft(this.#appTokens);
    const sid = this.#leaveMark.sid;
    if (sid === null) return false;
    await this.#logOut();
    this.#leaveMark.clear();
    this.#forget("sign-out");
    this.#channel.broadcast({ type: "sign-out", sid });
    return true;
  }

  /** The same for an app. Its user is signed out even if the appliance cannot hear of it now. */
  async #finishLeft(tokens: AppTokens): Promise<boolean> {
    if ((await tokens.vault.leaving()) === null) {
      const wasLeaving = this.#isLeaving;
      this.#isLeaving = false;
      return wasLeaving && this.#states.current.status === "signed-out";
    }
    await tokens.vault.remove();
    if (this.#states.current.status !== "signed-out") this.#end("sign-out");
    await this.#endLeft(tokens);
    return true;
  }

  /** Tells the appliance of a sign-out from this app, now or later. */
  async #endLeft(tokens: AppTokens): Promise<void> {
    try {
      await tokens.endLeft();
      this.#isLeaving = false;
    } catch (error) {
      this.#isLeaving = true;
      this.#schedule.retryLater(error instanceof SallyportError ? error.retryAfter : null);
    }
  }

  /** @param asked the epoch at the time of the call; waiting for the lock may have taken longer */
  async #refresh(asked: number): Promise<string | null> {
    if (asked !== this.#epoch && this.#states.current.status === "signed-out") return null;
    const epoch = this.#epoch;
    let refusal: unknown;
    try {
      if (await this.#finishLeaving()) return null;
      const askedAt = this.#options.readClocks();
      const tokens = this.#appTokens;
      const answer = await (tokens ? tokens.spend() : this.#options.requests.post("/v1/auth/refresh", {}));
      const unsaved = (await tokens?.keep(answer, false)) ?? null;
      if (epoch === this.#epoch) {
        this.#cookieFlows = true;
        this.#logged = null;
        return this.#hold(answer, askedAt, unsaved).token;
      }
    } catch (error) {
      refusal = error;
    }
    const { client, pageOrigin } = this.#options;
    const isWithheld = pageOrigin !== null && isRefusal(refusal) && (await this.#livesWithoutCookie());
    // Another tab changed the signed-in user meanwhile, so this answer is about a different user.
    if (epoch !== this.#epoch) return this.#held?.value ?? null;
    if (isWithheld && pageOrigin !== null) return this.#fail(cookiesWithheld(pageOrigin, client.url));
    if (!isRefusal(refusal)) return this.#fail(refusal);
    this.#end(this.#states.current.status === "signed-in" ? "ended" : "none");
    return null;
  }

  /** No cookie has come since this page signed in: finds out if the user signed out elsewhere or cookies never arrive. */
  async #livesWithoutCookie(): Promise<boolean> {
    const held = this.#held;
    if (!held || this.#cookieFlows || held.remaining <= 0) return false;
    return this.#options.requests.isAlive(held.value).catch(() => false);
  }

  /**
   * Reports the failure, changes nothing else, and retries later. A page that is set up wrongly stops loading, and retries too:
   * its owner may mend the setting, and no probe proves completely why a browser hides an answer.
   */
  #fail(error: unknown): never {
    const { current } = this.#states;
    const told = error instanceof SallyportError ? error : null;
    if (current.status !== "signed-in") this.#logOnce(told ?? error);
    if (current.status === "loading" && told && isFinal(told)) {
      this.#states.set({ status: "signed-out", user: null, session: null, reason: "none", error: told });
    } else {
      this.#states.set({ ...current, error: told });
    }
    const isCertain = told !== null && isFinal(told) && told.code !== "origin_not_allowed";
    this.#schedule.retryLater(isCertain ? FINAL_PAUSE : (told?.retryAfter ?? null));
    throw error;
  }

  /** Logs each reason once until it changes. Without it, a waiting page would be blank and not say why. */
  #logOnce(error: unknown): void {
    const code = error instanceof SallyportError ? error.code : "unknown";
    if (this.#logged === code) return;
    this.#logged = code;
    console.error(
      `Sallyport cannot find out who is signed in: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  /** @param unsaved the storage's failure, if it did not take the refresh token */
  #hold(answer: unknown, askedAt: ReturnType<ReadClocks>, unsaved: SallyportError | null) {
    const { tokens, session } = requireTokens(this.#options.client.url, answer);
    this.#held = new HeldToken(tokens.access_token, tokens.expires_in, askedAt, this.#options.readClocks);
    this.#states.set({ status: "signed-in", user: tokens.user, session, error: unsaved });
    if (unsaved) this.#schedule.retryLater(null);
    else this.#schedule.renewIn(this.#held.remaining - this.#held.ahead);
    return { token: tokens.access_token, user: tokens.user, sid: session.sid };
  }

  #end(reason: SignedOutReason): void {
    const sid = this.#states.current.session?.sid;
    this.#forget(reason);
    if (sid !== undefined && reason !== "none") this.#channel.broadcast({ type: reason, sid });
  }

  #forget(reason: SignedOutReason): void {
    this.#change();
    this.#held = null;
    this.#schedule.rest();
    this.#states.set({ status: "signed-out", user: null, session: null, error: null, reason });
  }

  #change(): void {
    this.#epoch++;
    this.#running = null;
  }

  #hear({ type, sid, replaces }: TabMessage): void {
    const own = this.#states.current.session?.sid;
    const isOurs = own === sid;
    if (type !== "signed-in") {
      // A message about another session than this tab's is old news.
      if (isOurs) this.#forget(type);
      return;
    }
    if (isOurs) return;
    if (own !== undefined && own === replaces) {
      // The same user continues under a new session. The page keeps what it shows, and asks for a new token.
      this.#change();
      this.#held = null;
      this.#check();
      return;
    }
    // The cookie belongs to another session now. Until its user is known, nothing is sent in the old user's name.
    this.#change();
    this.#held = null;
    this.#states.set({ status: "loading", user: null, session: null, error: null });
    this.#check();
  }

  #check(): void {
    const held = this.#held;
    const { status, error } = this.#states.current;
    if (status === "signed-out" && error === null && !this.#isLeaving) return;
    const isFresh = held !== null && held.remaining > held.ahead;
    // The state keeps a failure until an attempt succeeds.
    if (isFresh && error === null) this.#schedule.renewIn(held.remaining - held.ahead);
    else this.refresh().catch(() => {});
  }
}

function refuse(error: unknown): never {
  throw error;
}

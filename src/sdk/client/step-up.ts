import { SallyportError } from "../internal/errors.ts";
import { readClaims } from "./session/state.ts";

/** What a call asks for beyond a good token (RFC 9470): a stronger sign-in, a fresher one, or both. */
export interface StepUpNeed {
  /** `aal2`: a second factor, or a passkey that verifies its user. */
  aal: "aal2" | null;
  /** Seconds since the person signed in. */
  maxAge: number | null;
}

/**
 * Has the person prove more, by `session.stepUp` or by a page of yours.
 * @returns whether they did; the call is then tried once more, with the token of that moment
 */
export type OnStepUp = (need: StepUpNeed) => boolean | Promise<boolean>;

/** A refusal, whoever answered it and by whatever wire. */
export interface Refused {
  code: string | undefined;
  details: unknown;
  /** `WWW-Authenticate`. */
  challenge: string | null;
}

const STEP_UP = "insufficient_user_authentication";

/** @returns null for what no step-up would mend */
export function readNeed({ code, details, challenge }: Refused): StepUpNeed | null {
  const said = parametersOf(challenge);
  if ((code ?? said.error) !== STEP_UP) return null;
  const { acr_values: acr, max_age: age } = { ...said, ...present(details) };
  const seconds = age === undefined ? Number.NaN : Number(age);
  return {
    aal: String(acr ?? "")
      .split(" ")
      .includes("aal2")
      ? "aal2"
      : null,
    maxAge: Number.isFinite(seconds) && seconds >= 0 ? seconds : null,
  };
}

/**
 * What the call that failed with this error asks for; null for every other error. Signing in again, or one `session.stepUp`,
 * answers it. A refresh never does.
 */
export function stepUpNeedOf(error: unknown): StepUpNeed | null {
  if (!(error instanceof SallyportError)) return null;
  return readNeed({ code: error.code, details: error.details, challenge: null });
}

/** Asks the person once for what several calls wait for. */
export class StepUps {
  #running: Promise<boolean> | null = null;

  /**
   * @param handler asked for at each need: who answers may change
   * @param current the token of this moment
   */
  constructor(
    private readonly handler: () => OnStepUp | undefined,
    private readonly current: (rejected: string) => Promise<string | null>,
  ) {}

  /** @returns a token of the same person that may do, or null: nobody answers, or the person would not */
  async rise(need: StepUpNeed, rejected: string): Promise<string | null> {
    for (;;) {
      const token = await this.#other(rejected);
      if (token !== null && suffices(token, need, rejected)) return token;
      if (!this.#running) break;
      // Who waits for a question that is declined is not asked the same again.
      if (!(await this.#running.catch(() => false))) return null;
    }
    const ask = this.handler();
    if (!ask) return null;
    const running = Promise.resolve(need)
      .then(ask)
      .finally(() => {
        this.#running = null;
      });
    this.#running = running;
    return (await running) ? this.#other(rejected) : null;
  }

  /** Never another person's: what one has asked for is not done in the name of the next. */
  async #other(rejected: string): Promise<string | null> {
    const token = await this.current(rejected);
    if (token === null || token === rejected) return null;
    return readClaims(token)?.sub === readClaims(rejected)?.sub ? token : null;
  }
}

/** Whether a token says more than the one that was refused. The appliance decides; this saves asking the person twice. */
function suffices(token: string, { aal, maxAge }: StepUpNeed, rejected: string): boolean {
  const [claims, before] = [readClaims(token), readClaims(rejected)];
  if (!claims || !before) return false;
  return (aal === null || claims.aal === aal) && (maxAge === null || claims.auth_time > before.auth_time);
}

/** `name="value"` pairs of a challenge (RFC 9110 section 11.2), the quotes optional. */
function parametersOf(challenge: string | null): Record<string, string> {
  const pairs = (challenge ?? "").matchAll(/([a-z_]+) ?= ?(?:"([^"]*)"|([^\s,"]+))/gi);
  return Object.fromEntries(
    [...pairs].map(([, name = "", quoted, bare]) => [name.toLowerCase(), quoted ?? bare ?? ""]),
  );
}

function present(details: unknown): Record<string, unknown> {
  if (typeof details !== "object" || details === null) return {};
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== null));
}

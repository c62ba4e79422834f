import { SallyportError } from "../internal/errors.ts";
import { readClaims } from "./session/state.ts";

/** A call's need beyond a valid token (RFC 9470): a stronger sign-in, a fresher sign-in, or both. */
export interface StepUpNeed {
  /** `aal2`: a second factor, or a passkey that verifies its user. */
  aal: "aal2" | null;
  /** The most seconds since the user signed in. */
  maxAge: number | null;
}

/**
 * Lets the user prove more, by `session.stepUp` or by a page of yours.
 * @returns true if the user did. The call is then retried with the new token.
 */
export type OnStepUp = (need: StepUpNeed) => boolean | Promise<boolean>;

/** A refusal by any server, on any wire. */
export interface Refused {
  code: string | undefined;
  details: unknown;
  /** `WWW-Authenticate`. */
  challenge: string | null;
}

const STEP_UP = "insufficient_user_authentication";

/** @returns null unless a step-up would help */
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
 * Returns what a failed call needs; null for every other error. A new sign-in or one `session.stepUp` satisfies it. A refresh
 * never does.
 */
export function stepUpNeedOf(error: unknown): StepUpNeed | null {
  if (!(error instanceof SallyportError)) return null;
  return readNeed({ code: error.code, details: error.details, challenge: null });
}

/** Asks the user once for all the calls that wait. */
export class StepUps {
  #running: Promise<boolean> | null = null;

  /**
   * @param handler read at each need, because the handler may change
   * @param current the token now
   */
  constructor(
    private readonly handler: () => OnStepUp | undefined,
    private readonly current: (rejected: string) => Promise<string | null>,
  ) {}

  /** @returns a token of the same user that may suffice; null without a handler, or if the user declined */
  async rise(need: StepUpNeed, rejected: string): Promise<string | null> {
    for (;;) {
      const token = await this.#other(rejected);
      if (token !== null && suffices(token, need, rejected)) return token;
      if (!this.#running) break;
      // After a refusal by the user, the calls that waited do not ask again.
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

  /** Never returns another user's token: a call of one user must not run in the name of the next. */
  async #other(rejected: string): Promise<string | null> {
    const token = await this.current(rejected);
    if (token === null || token === rejected) return null;
    return readClaims(token)?.sub === readClaims(rejected)?.sub ? token : null;
  }
}

/** Whether a token proves more than the refused one. The appliance decides; this saves asking the user twice. */
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

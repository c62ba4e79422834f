import type { Clock } from "../../core/clock.ts";
import { MINUTE, SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { parseJsonObject } from "../../core/json.ts";
import type { Delivery, FlowsTable } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Application } from "../applications/application.ts";
import type { Flows } from "../flows/flows.ts";
import type { MfaTokens } from "./mfa-tokens.ts";

/** A user's second factor as submitted: a code, or the answer to a challenge. */
export interface FactorAnswer {
  /** The act of the user. */
  act: Act;
  userId: string;
  code: string | null;
  /** The challenge's flow. */
  flowId: string | null;
  /** The result of the browser's WebAuthn call, as JSON. */
  response: unknown;
  /** The RFC 8176 values proven before, by the first factor or the session. Absent if unknown. */
  proven?: readonly string[];
}

/** A correct answer that is not spent yet. */
export interface FactorProof {
  /** RFC 8176 values. */
  amr: readonly string[];
  /**
   * The answer only stands in for the second factor: both proofs are things that a person keeps, so they make no `aal2`. It
   * lets the user in, to replace the factor that was lost.
   */
  standsIn?: boolean;
  /** Whether `commit` changes nothing of the user's row and addresses, so that they need not be read again. */
  keepsUser?: boolean;
  /** Spends the answer. Of two simultaneous calls one is refused. @throws AppError `invalid_code`, `code_used` */
  commit(tx: Executor, now: number): Promise<void>;
}

/** A second factor that a feature offers. */
export interface SecondFactor {
  /** Its name in `methods`: `totp`, `passkey`, `recovery_code`. */
  method: string;
  /** Whether it only replaces a lost factor. It counts only if the user also has a factor that is not a backup. */
  isBackup?: boolean;
  /**
   * Returns the challenge that the browser needs first, if the factor is more than a code; null where this factor does not
   * help.
   */
  challenge?(
    application: Application,
    userId: string,
  ): Promise<{ flow_id: string; public_key: Record<string, unknown> } | null>;
  /** Checks an answer without spending it. @throws AppError `invalid_code`, `code_used`, `invalid_input` */
  check(answer: FactorAnswer): Promise<FactorProof>;
  /** Returns whether this user has the factor. Every sign-in calls it, so it must be one point read. */
  isEnrolled(at: Executor, userId: string): Promise<boolean>;
  /** Returns whether a user who has the factor can prove it in this application. Absent: anywhere. */
  isUsable?(at: Executor, application: Application, userId: string): Promise<boolean>;
  /** Removes the factor, if it is a backup: it stands for nothing once the last other factor is gone. */
  forget?(tx: Executor, userId: string): Promise<void>;
}

/** The result of a first factor. The flow keeps it until the second factor is proven. */
export interface FirstFactor {
  method: string;
  amr: readonly string[];
  delivery: Delivery;
  audience: string | null;
  organization: string | null;
  /** A second factor is required and the user has none. The token opens its set-up. */
  isSetup: boolean;
}

/** The flow of a checked MFA token. */
export interface MfaFlow {
  id: string;
  userId: string;
  applicationId: string;
  first: FirstFactor;
}

/** The purpose of an MFA token: to set up a first second factor, or to prove one. */
export type MfaStep = "setup" | "proof";

const KIND = "mfa";
const STEP = "first-factor";
const LIFETIME = 5 * MINUTE;
/** The number of wrong second factors that ends the flow. */
const MAX_TRIES = 5;

/** Decides which users need a second factor, and keeps the flow between the first and the second. */
export class SecondFactors {
  #factors: readonly SecondFactor[] = [];

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly flows: Flows,
    private readonly tokens: MfaTokens,
  ) {}

  /** Registers the second factors of the features, once they exist. */
  offer(factors: readonly SecondFactor[]): void {
    this.#factors = factors;
  }

  /** Returns the factor of this method. @throws AppError `invalid_input` for an unknown method */
  factor(method: string): SecondFactor {
    const factor = this.#factors.find((offered) => offered.method === method);
    if (!factor)
      throw invalidField("method", `must be one of ${this.#factors.map((known) => known.method).join(", ")}`);
    return factor;
  }

  /**
   * Returns the methods that this user has as a second factor. They decide whether the user is asked for one. {@link usable} names
   * those to ask for.
   * @param first the method of the first factor, which cannot also be the second: one key proves itself only once
   */
  async enrolled(at: Executor, userId: string, first: string | null = null): Promise<string[]> {
    const methods: string[] = [];
    for (const isBackup of [false, true]) {
      if (isBackup && methods.length === 0) break;
      for (const factor of this.#factors) {
        if ((factor.isBackup === true) !== isBackup || factor.method === first) continue;
        if (await factor.isEnrolled(at, userId)) methods.push(factor.method);
      }
    }
    return methods;
  }

  /**
   * Returns those of {@link enrolled} that the user can prove in this application. A passkey of another domain demands a second
   * factor and cannot be it, so only the recovery codes may be left, or nothing.
   */
  async usable(at: Executor, application: Application, userId: string, first: string | null): Promise<string[]> {
    const usable: string[] = [];
    for (const method of await this.enrolled(at, userId, first)) {
      if ((await this.factor(method).isUsable?.(at, application, userId)) ?? true) usable.push(method);
    }
    return usable;
  }

  /**
   * Removes the backups of a user without another factor. Otherwise codes that were printed for a lost factor would open the
   * account again as soon as a new factor exists. Runs after each removal of a factor, by whichever feature.
   */
  async forgetBackups(tx: Executor, userId: string): Promise<void> {
    if ((await this.enrolled(tx, userId)).length > 0) return;
    for (const factor of this.#factors) await factor.forget?.(tx, userId);
  }

  /** Starts the flow. @returns its id, for {@link token} after the commit */
  start(tx: Executor, application: Application, userId: string, first: FirstFactor): Promise<string> {
    return this.flows.start(tx, {
      tenantId: application.tenant.id,
      applicationId: application.id,
      userId,
      kind: KIND,
      step: STEP,
      state: { ...first },
      lifetime: LIFETIME,
    });
  }

  async token(flowId: string): Promise<{ token: string; expiresIn: number }> {
    const token = await this.tokens.mint(flowId, this.clock.now(), LIFETIME);
    return { token, expiresIn: LIFETIME / SECOND };
  }

  /**
   * Returns the flow of an MFA token, for one of the two purposes of such a token.
   * @throws AppError `invalid_code` unless the token is valid and its flow is live and of this step; `application_mismatch`
   */
  async find(token: string, application: Application, step: MfaStep): Promise<MfaFlow> {
    const id = this.tokens.parse(token, this.clock.now());
    const flow = id === null ? undefined : await this.flows.find(this.storage.read, id, KIND);
    if (!flow || flow.attempts >= MAX_TRIES) throw new AppError("invalid_code");
    const found = toMfaFlow(flow, application);
    if (found.first.isSetup !== (step === "setup")) throw new AppError("invalid_code");
    return found;
  }

  /**
   * Counts one try, right or wrong, before the check, so that of many simultaneous tries only five are checked.
   * @returns whether it is the last one
   * @throws AppError `invalid_code` for the sixth
   */
  async attempt(flow: MfaFlow): Promise<{ isLast: boolean }> {
    const counted = await this.storage.write((tx) => this.flows.attempt(tx, flow.id, KIND, MAX_TRIES));
    if (!counted) throw new AppError("invalid_code");
    return { isLast: counted.attempts >= MAX_TRIES };
  }

  /** Gives back a counted try that cannot have been a guess. */
  async giveBack(tx: Executor, flow: MfaFlow): Promise<void> {
    await this.flows.giveBackAttempt(tx, flow.id, KIND);
  }

  /** Spends the flow: the token is single-use. @throws AppError `invalid_code` */
  async consume(tx: Executor, flowId: string): Promise<void> {
    if (!(await this.flows.consume(tx, flowId, KIND, STEP))) throw new AppError("invalid_code");
  }
}

function toMfaFlow(flow: FlowsTable, application: Application): MfaFlow {
  if (!flow.user_id) throw new AppError("invalid_code");
  if (flow.application_id !== application.id) throw new AppError("application_mismatch");
  return {
    id: flow.id,
    userId: flow.user_id,
    applicationId: flow.application_id,
    first: parseJsonObject(flow.state) as unknown as FirstFactor,
  };
}

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

/** What somebody gives as a second factor: a code, or the answer to a challenge. */
export interface FactorAnswer {
  /** By the user. */
  act: Act;
  userId: string;
  code: string | null;
  /** Of the challenge. */
  flowId: string | null;
  /** What the browser's WebAuthn call answered, as JSON. */
  response: unknown;
  /** RFC 8176 values of what was proven before: the first factor's, or the session's. Absent: nothing is known of it. */
  proven?: readonly string[];
}

/** An answer that is right, and not spent yet. */
export interface FactorProof {
  /** RFC 8176 values. */
  amr: readonly string[];
  /** Spends it: of two at once one is refused. @throws AppError `invalid_code` */
  commit(tx: Executor, now: number): Promise<void>;
}

/** A second factor that a capability offers. */
export interface SecondFactor {
  /** As `methods` names it: `totp`, `passkey`, `recovery_code`. */
  method: string;
  /** For the day that another one is lost: counts only beside one that is no backup. */
  isBackup?: boolean;
  /** What the browser must be given first, where it is more than a question for a code; null where none would do here. */
  challenge?(
    application: Application,
    userId: string,
  ): Promise<{ flow_id: string; public_key: Record<string, unknown> } | null>;
  /** Looks at an answer without spending it. @throws AppError `invalid_code`, `invalid_input` */
  check(answer: FactorAnswer): Promise<FactorProof>;
  /** Whether this user has it. One point read: it is in every sign-in. */
  isEnrolled(at: Executor, userId: string): Promise<boolean>;
}

/** What a first factor has settled, kept by the flow until the second one is there. */
export interface FirstFactor {
  method: string;
  amr: readonly string[];
  delivery: Delivery;
  audience: string | null;
  organization: string | null;
  /** There is no second factor yet and one is required: the token opens the set-up of one. */
  isSetup: boolean;
}

/** The flow of an MFA token that was looked at. */
export interface MfaFlow {
  id: string;
  userId: string;
  applicationId: string;
  first: FirstFactor;
}

/** What an MFA token is presented for: the set-up of a first second factor, or the proof of one. */
export type MfaStep = "setup" | "proof";

const KIND = "mfa";
const STEP = "first-factor";
const LIFETIME = 5 * MINUTE;
/** Wrong second factors that end the flow. */
const MAX_TRIES = 5;

/** Who is asked for a second factor, and the flow between the first and the second. */
export class SecondFactors {
  #factors: readonly SecondFactor[] = [];

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly flows: Flows,
    private readonly tokens: MfaTokens,
  ) {}

  /** What the features bring, once they are there. */
  offer(factors: readonly SecondFactor[]): void {
    this.#factors = factors;
  }

  /** @throws AppError `invalid_input` for a method that nobody offers */
  factor(method: string): SecondFactor {
    const factor = this.#factors.find((offered) => offered.method === method);
    if (!factor)
      throw invalidField("method", `must be one of ${this.#factors.map((known) => known.method).join(", ")}`);
    return factor;
  }

  /**
   * The methods that would do for this user.
   * @param first the method of the first factor, which is no second one: one key proves itself only once
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

  /** @returns the flow's id, for {@link token} after the commit */
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
   * The flow of an MFA token, for one of the two things that such a token may open.
   * @throws AppError `invalid_code` for what is no token, or one whose flow is spent, over, or for the other step;
   * `application_mismatch`
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
   * Counts one try, right or wrong, before it is looked at: of many at once no more than five are.
   * @returns whether it is the last one
   * @throws AppError `invalid_code` for the sixth
   */
  async attempt(flow: MfaFlow): Promise<{ isLast: boolean }> {
    const counted = await this.storage.write((tx) => this.flows.attempt(tx, flow.id, KIND, MAX_TRIES));
    if (!counted) throw new AppError("invalid_code");
    return { isLast: counted.attempts >= MAX_TRIES };
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

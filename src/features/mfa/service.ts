import { MINUTE } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { typedCode } from "../../core/typed-code.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Application } from "../../identity/applications/application.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { FactorProof, MfaFlow } from "../../identity/factors/second-factors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Taken } from "../../identity/limits/counts.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import type { SessionBundle } from "../../identity/sessions/public.ts";
import type { SignInOutcome } from "../../identity/sign-in/sign-ins.ts";
import { findUser } from "../../identity/users/public.ts";
import type { Executor } from "../../storage/storage.ts";
import { otpauthUri, qrSvg } from "./qr-code.ts";
import type { RecoveryCodes } from "./recovery-codes.ts";
import { enablePending, findPending, putPending } from "./store.ts";
import { matchingStep, newTotpSecret, toBase32 } from "./totp.ts";
import type { TotpFactor } from "./totp-factor.ts";

/** A user who has proven a first factor: by the flow of an MFA token, or by a session. */
export type Prover = {
  /** The act of the user. */
  act: Act;
  userId: string;
} & ({ flow: MfaFlow; replaces: string | null } | { session: SessionBundle });

export interface Answer {
  method: string;
  code: string | null;
  flowId: string | null;
  response: unknown;
  rememberDevice: boolean;
}

/** How long a secret that was shown waits to be confirmed. */
const SETUP_LIFETIME = 10 * MINUTE;
/** Limits challenges, because each is a record. A caller who exceeds this is not signing anybody in. */
const CHALLENGES = { burst: 30, interval: MINUTE / 2 };
/** Limits the tries with a used code that are given back. Each is a few writes, and a used code lives for 90 seconds at most. */
const REUSES = { burst: 30, interval: MINUTE / 2 };

/** Sets up, challenges and proves second factors, for a sign-in flow or for a session that steps up. */
export class SecondFactorService {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "notices" | "secondFactors" | "signIns" | "storage"
    >,
    private readonly totp: TotpFactor,
    private readonly recoveryCodes: RecoveryCodes,
  ) {}

  /**
   * Shows a new secret once. It counts after {@link enable} has seen a code of it.
   * @throws AppError `forbidden`, `address_unproven`
   */
  async setUp(prover: Prover) {
    const { act, userId } = prover;
    const { application } = act;
    const { storage, clock } = this.identity;
    requireOffered(application);
    await this.identity.accounts.requireProven(storage.read, userId);
    const user = await findUser(storage.read, application.tenant.id, userId);
    if (!user || user.is_anonymous === 1) {
      throw new AppError("forbidden", { message: "An anonymous user has no first factor to add a second one to." });
    }
    // If a second factor was added meanwhile, the flow must prove it instead of setting up another.
    if (await this.#isStale(storage.read, prover)) {
      throw new AppError("invalid_code");
    }
    const bytes = newTotpSecret();
    const secret = toBase32(bytes);
    const uri = otpauthUri({ secret, issuer: application.name, account: user.email ?? user.display_name ?? userId });
    const svg = await qrSvg(uri);
    const sealed = this.totp.seal(userId, bytes);
    const pending = { userId, tenantId: application.tenant.id, secret: sealed, owner: ownerOf(prover) };
    await storage.write((tx) => putPending(tx, { ...pending, now: clock.now() }));
    return { secret, otpauth_uri: uri, qr_svg: svg };
  }

  /** @throws AppError `invalid_code`, `rate_limited`, `forbidden`, `address_unproven` */
  async enable(prover: Prover, code: string, rememberDevice: boolean) {
    const { act, userId } = prover;
    const { application } = act;
    requireOffered(application);
    const codes = this.recoveryCodes.generate();
    const outcome = await this.#prove(prover, "totp", rememberDevice, async () => {
      const { storage, clock } = this.identity;
      const since = clock.now() - SETUP_LIFETIME;
      const secret = await findPending(storage.read, { userId, owner: ownerOf(prover), since });
      const step = secret && matchingStep(this.totp.open(userId, secret), code, clock.now(), 0);
      if (secret === null || step === null) throw new AppError("invalid_code");
      const commit = async (tx: Executor, now: number) => {
        await lockSession(tx, { tenant_id: application.tenant.id, user_id: userId, sid: sidOf(prover) }, now);
        await this.identity.accounts.requireProven(tx, userId);
        const isStale = await this.#isStale(tx, prover);
        if (isStale || !(await enablePending(tx, { userId, secret, step, now }))) throw new AppError("invalid_code");
        await this.recoveryCodes.keep(tx, now, { id: userId, tenantId: application.tenant.id }, codes);
        const change = { userId, keep: sidOf(prover), reason: "totp_added", details: { factor: "totp" } } as const;
        await this.identity.accounts.credentialChanged(tx, now, prover.act, change);
      };
      return { amr: ["otp"], commit };
    });
    return { outcome, codes };
  }

  /** Names the factors that would do, with a challenge for the browser if one needs it. @throws AppError `rate_limited` */
  async challenge(prover: Prover) {
    const { act, userId } = prover;
    const { secondFactors, storage, attempts } = this.identity;
    const methods = await secondFactors.usable(storage.read, act.application, userId, firstOf(prover));
    if (!methods.includes("passkey")) return { methods, passkey: null };
    await attempts.row(act, "mfa-challenge", userId, CHALLENGES, sidOf(prover));
    return { methods, passkey: (await secondFactors.factor("passkey").challenge?.(act.application, userId)) ?? null };
  }

  /**
   * Refuses a wrong answer, a used recovery code, and a method that the user does not have, all alike. A right TOTP code that
   * the user has just used is `code_used`.
   * @throws AppError `invalid_code`, `code_used`, `invalid_input`, `rate_limited`
   */
  verify(prover: Prover, answer: Answer): Promise<SignInOutcome> {
    const { act, userId } = prover;
    const { method, code, flowId, response } = answer;
    const factor = this.identity.secondFactors.factor(method);
    // Text without any code does not count as a try.
    if (code !== null && typedCode(code) === "") throw invalidField("code", "must hold a code");
    return this.#prove(prover, method, answer.rememberDevice, () => {
      // A key cannot be both factors: the first factor does not count as the second.
      if (method === firstOf(prover)) throw new AppError("invalid_code");
      return factor.check({ act, userId, code, flowId, response, proven: provenBy(prover) });
    });
  }

  /**
   * Returns whether the user of a set-up flow has a second factor by now, and must prove it instead. As in the sign-in that
   * began the flow, the first factor does not count: a passkey that did not verify its user cannot also be the second.
   */
  async #isStale(at: Executor, prover: Prover): Promise<boolean> {
    if (!("flow" in prover)) return false;
    return (await this.identity.secondFactors.enrolled(at, prover.userId, firstOf(prover))).length > 0;
  }

  /** Counts the try, checks it, and passes a right answer to the one sign-in function. */
  async #prove(
    prover: Prover,
    method: string,
    rememberDevice: boolean,
    check: () => FactorProof | Promise<FactorProof>,
  ): Promise<SignInOutcome> {
    const { act, userId } = prover;
    const { attempts, secondFactors, signIns } = this.identity;
    // Only the six digits of an app can be guessed. Wrong ones must not keep the owner from a passkey or a recovery code.
    const taken =
      method === "totp" ? await attempts.guess(act, "totp", userId, sidOf(prover)) : await attempts.work(act, "proof");
    const { isLast } = "flow" in prover ? await secondFactors.attempt(prover.flow) : { isLast: false };
    try {
      const proof = await check();
      const commit = async (tx: Executor, now: number) => {
        await proof.commit(tx, now);
        await taken.giveBack(tx);
      };
      const counted = { ...proof, commit };
      if ("session" in prover) {
        return await signIns.stepUp({ act, session: prover.session, rememberDevice }, counted);
      }
      const { flow, replaces } = prover;
      return await signIns.finish({ act, flow, replaces, rememberDevice }, counted);
    } catch (error) {
      const code = error instanceof AppError ? error.code : null;
      if (code === "code_used") await this.#reused(prover, taken);
      if (code === "invalid_code") await this.#refused(prover, method, isLast);
      throw error;
    }
  }

  /**
   * Gives the try back: a used code cannot be a guess, because only somebody who knows the code has it. It proves nothing either: an
   * observer of the code may have sent it, so earlier wrong codes stay counted, and too many repeats cost tries as a wrong code.
   * @throws AppError `rate_limited`
   */
  async #reused(prover: Prover, taken: Taken): Promise<void> {
    const { act, userId } = prover;
    const { attempts, clock, secondFactors, storage } = this.identity;
    await attempts.row(act, "totp-reuse", userId, REUSES, sidOf(prover));
    const now = clock.now();
    await storage.write(async (tx) => {
      await taken.undo(tx);
      if ("flow" in prover) await secondFactors.giveBack(tx, prover.flow);
      await act.auditRefusal(tx, now, "second_factor.refused", userRef(userId), { method: "totp", reason: "used" });
    });
  }

  /** Tells the owner when a caller with the first factor has used up the tries (ASVS 6.3.5). */
  async #refused({ act, userId }: Prover, method: string, isLast: boolean): Promise<void> {
    const { storage, clock, notices } = this.identity;
    const now = clock.now();
    await storage.write(async (tx) => {
      await act.auditRefusal(tx, now, "second_factor.refused", userRef(userId), { method });
      if (isLast) await notices.notify(tx, now, act, { kind: "factor", template: "second_factor_refused", userId });
    });
  }
}

function requireOffered(application: Application): void {
  if (application.mfa !== "off") return;
  throw new AppError("forbidden", { message: "This application uses no second factor." });
}

function ownerOf(prover: Prover): string {
  return "flow" in prover ? prover.flow.id : prover.session.sid;
}

function sidOf(prover: Prover): string | null {
  return "session" in prover ? prover.session.sid : null;
}

/** RFC 8176 values. */
function provenBy(prover: Prover): readonly string[] {
  return "flow" in prover ? prover.flow.first.amr : (JSON.parse(prover.session.amr) as string[]);
}

function firstOf(prover: Prover): string {
  return "flow" in prover ? prover.flow.first.method : prover.session.auth_method;
}

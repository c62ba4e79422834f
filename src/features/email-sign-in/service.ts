import type { RequestOrigin } from "../../core/caller.ts";
import { MINUTE, toWireTime } from "../../core/clock.ts";
import { canonicalEmail } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import { parseJsonObject } from "../../core/json.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import { appendRefusal } from "../../identity/audit/refusals.ts";
import { appendAudit } from "../../identity/audit/store.ts";
import type { Identity } from "../../identity/identity.ts";
import { linkOf } from "../../identity/proofs/link.ts";
import type { Proof, ProofKind, Proven, StartedProof } from "../../identity/proofs/proofs.ts";
import type { SignInOutcome } from "../../identity/sessions/sign-in.ts";
import type { Application } from "../../identity/tenants/directory.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { maskEmail } from "./mask.ts";
import { findOwner, isProven, primaryAddress, proveAddress } from "./store.ts";

export const EMAIL_METHODS = ["magic_link", "email_code"] as const;
export type EmailMethod = (typeof EMAIL_METHODS)[number];

interface Caller {
  application: Application;
  origin: RequestOrigin;
}

export interface EmailCompletion extends Caller {
  proof: Proof;
  organization: string | null;
  audience: string | null;
  delivery: Delivery;
  replaces: string | null;
  trustedDevice: string | null;
}

/** What the flow goes on with. No address of a stranger stands in it: of one that nobody has, only a digest. */
interface State {
  method: EmailMethod;
  /** SHA-256 of the canonical address as it was said: what guesses are counted by, whether or not somebody has it. */
  account: string;
  emailId: string | null;
  /** As the account has it: the page that the link opens says whose account it is. */
  email: string | null;
}

const KIND: ProofKind = "sign_in";
const KINDS: readonly ProofKind[] = ["sign_in", "sign_up", "verify_email", "reset_password", "undo_email_change"];
/** Out-of-band codes live ten minutes at most (ASVS 6.5.5). */
const LIFETIME = 10 * MINUTE;
/** A counter of its own, beside that of passwords: who guesses codes does not use up the owner's attempts to type theirs. */
const COUNTER = "mail-code";

/** The rules of links and codes by mail: who is sent one, and who is signed in by it. */
export class EmailSignIns {
  constructor(private readonly identity: Identity) {}

  /**
   * The same answer, status and work whether or not there is an account. @throws AppError `forbidden`, `invalid_input`,
   * `rate_limited`
   */
  async start(caller: Caller & { email: string; method: EmailMethod }): Promise<StartedProof> {
    const { application, origin, method } = caller;
    requireMethod(application, method);
    const email = canonicalEmail(caller.email);
    if (!email) throw invalidField("email", "must be one e-mail address such as ada@example.com");
    const { identity } = this;
    await identity.attempts.mail(application, email.canonical, origin);
    const owner = await findOwner(identity.storage.read, application.tenant.id, email.canonical);
    const state: State = {
      method,
      account: sha256Base64url(email.canonical),
      emailId: owner?.emailId ?? null,
      email: owner?.address ?? null,
    };
    return identity.storage.write(async (tx) => {
      const proof = await identity.proofs.start(tx, {
        kind: KIND,
        tenantId: application.tenant.id,
        applicationId: application.id,
        userId: owner?.userId ?? null,
        state: { ...state },
        lifetime: LIFETIME,
      });
      await identity.outbox.queue(tx, {
        tenant: application.tenant,
        to: owner?.address ?? null,
        userId: owner?.userId ?? null,
        template: method === "magic_link" ? "sign_in_link" : "sign_in_code",
        values: {
          application: application.name,
          link: linkOf(application.tenant, proof.token),
          code: proof.code,
          minutes: String(LIFETIME / MINUTE),
        },
        languages: origin.languages ?? null,
        expiresAt: identity.clock.now() + LIFETIME,
      });
      return proof;
    });
  }

  /**
   * @throws AppError `invalid_code` for whatever is wrong with the proof, `forbidden` when the method was switched off
   * meanwhile, `invalid_credentials` when the account was disabled or deleted meanwhile, `rate_limited`
   */
  async complete(completion: EmailCompletion): Promise<SignInOutcome> {
    const { application, origin, proof } = completion;
    const { attempts, proofs, signIns } = this.identity;
    const account = "code" in proof ? await this.#accountOf(proof.flowId) : null;
    if (account !== null) await attempts.proof(application, COUNTER, account, origin);
    const proven = await this.#check(completion);
    const { flow } = proven;
    const state = proven.state as unknown as State;
    const { user_id: userId } = flow;
    if (userId === null || state.emailId === null) throw new AppError("invalid_code");
    requireMethod(application, state.method);
    const address = { id: state.emailId, user_id: userId };
    return signIns.complete({
      application,
      origin,
      method: state.method,
      amr: ["otp"],
      aal: "aal1",
      delivery: completion.delivery,
      audience: completion.audience,
      organization: completion.organization,
      replaces: completion.replaces,
      trustedDevice: completion.trustedDevice,
      commit: async (tx, now) => {
        await proofs.consume(tx, proven);
        if (await proveAddress(tx, address, now)) await this.#takeOver(tx, now, application, userId, origin);
        else if (!(await isProven(tx, address))) throw new AppError("invalid_code");
        if (account !== null) await attempts.forgive(tx, application, COUNTER, account, origin);
        return userId;
      },
    });
  }

  /**
   * What a link would do, without doing it: for the page that it opens.
   * @throws AppError `invalid_code` for one that does nothing any more, and for another tenant's
   */
  async describe({ application: asked }: Caller, token: string) {
    const { proofs, directory, storage } = this.identity;
    const { flow, state } = await proofs.check(KINDS, { token });
    const application = flow.tenant_id === asked.tenant.id ? await directory.application(flow.application_id) : null;
    if (!application || application.disabled) throw new AppError("invalid_code");
    const said = typeof state.email === "string" ? state.email : null;
    const email = said ?? (flow.user_id === null ? null : await primaryAddress(storage.read, flow.user_id));
    return {
      kind: flow.kind as ProofKind,
      email: email === null ? null : maskEmail(email),
      application: { id: application.id, name: application.name, home_url: application.homeUrl },
      expires_at: toWireTime(flow.expires_at),
    };
  }

  /** What guesses at a flow's code are counted by: many flows of one address have one counter. */
  async #accountOf(flowId: string): Promise<string> {
    const { flows, storage } = this.identity;
    const id = parseId("flow", flowId);
    const flow = id === null ? undefined : await flows.find(storage.read, id, KIND);
    const data = flow && (parseJsonObject(flow.state)?.data as State | undefined);
    return data?.account ?? flowId;
  }

  async #check({ application, origin, proof }: EmailCompletion): Promise<Proven> {
    try {
      return await this.identity.proofs.check([KIND], proof, application.id);
    } catch (error) {
      const now = this.identity.clock.now();
      await this.identity.storage.write((tx) =>
        appendRefusal(tx, now, {
          tenantId: application.tenant.id,
          actor: { kind: "anonymous", id: null },
          action: "sign_in.refused",
          applicationId: application.id,
          origin,
          details: { method: "token" in proof ? "magic_link" : "email_code" },
        }),
      );
      throw error;
    }
  }

  /**
   * The address was never proven before: whoever set the account up may have been a stranger. Their credentials and sessions
   * go before the owner of the address comes in.
   */
  async #takeOver(tx: Executor, now: number, application: Application, userId: string, origin: RequestOrigin) {
    const actor = { kind: "user", id: userId } as const;
    await this.identity.users.disown(tx, userId, { application, actor, origin });
    await appendAudit(tx, now, {
      tenantId: application.tenant.id,
      actor,
      action: "email.verified",
      target: { kind: "user", id: userId },
      applicationId: application.id,
      origin,
    });
  }
}

function requireMethod(application: Application, method: EmailMethod): void {
  if (application.signInMethods.has(method)) return;
  const what = method === "magic_link" ? "links" : "codes";
  throw new AppError("forbidden", { message: `This application does not sign people in by ${what} in mails.` });
}

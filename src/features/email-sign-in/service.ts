import { toWireTime } from "../../core/clock.ts";
import { canonicalEmail, emailProblem } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { mayActFor } from "../../identity/accounts/may-act.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Application } from "../../identity/applications/application.ts";
import { checkProof, mailSharedProof, PROOF_LIFETIME } from "../../identity/email-proofs/mailed.ts";
import { maskEmail } from "../../identity/email-proofs/mask.ts";
import type { Proof, ProofKind, SharedProof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { findSession, isLiveSession } from "../../identity/sessions/public.ts";
import type { SignInOutcome, SignInRequest } from "../../identity/sign-in/sign-ins.ts";
import { findAddressOwner, findPrimary } from "../../identity/users/emails/public.ts";

export const EMAIL_METHODS = ["magic_link", "email_code"] as const;
export type EmailMethod = (typeof EMAIL_METHODS)[number];

/** The state of the flow. */
interface State {
  method: EmailMethod;
  /** null if no account has the address. */
  emailId: string | null;
}

const KINDS: readonly ProofKind[] = [
  "sign_in",
  "sign_up",
  "verify_email",
  "reset_password",
  "undo_email_change",
  "restore_account",
];

/** The browser that opens a link: the flows that it asked for at an application, and its session there. */
interface Browser {
  asked(application: Application): readonly string[];
  sid(application: Application): Promise<string | null>;
}

/** Mails links and codes, and signs in the user who returns one. */
export class EmailSignIns {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "directory" | "emailProofs" | "flows" | "outbox" | "signIns" | "storage"
    >,
  ) {}

  /**
   * Gives the same answer, status and work whether or not there is an account. @throws AppError `forbidden`, `invalid_input`,
   * `rate_limited`
   */
  async start(act: Act, { email, method }: { email: string; method: EmailMethod }): Promise<SharedProof> {
    const { identity } = this;
    const { application } = act;
    identity.signIns.requireMethod(application, method);
    const said = canonicalEmail(email);
    if (!said) throw invalidField("email", emailProblem(email));
    const { canonical } = said;
    const found = await findAddressOwner(identity.storage.read, application.tenant.id, canonical);
    const network = await identity.attempts.mailRequest(act, found?.user_id ?? canonical);
    const owner = found && mayActFor(found) ? found : null;
    const state: State = { method, emailId: owner?.email_id ?? null };
    const address = owner?.address ?? null;
    return identity.storage.write((tx) =>
      mailSharedProof(identity, tx, act, {
        kind: "sign_in",
        template: method === "magic_link" ? "sign_in_link" : "sign_in_code",
        to: address,
        userId: owner?.user_id ?? null,
        canonical,
        email: address,
        state: { ...state },
        lifetime: PROOF_LIFETIME,
        network,
      }),
    );
  }

  /**
   * A right proof ends the user's other mails to sign in to this application: the mailbox still holds them.
   * @param asked the flows that the caller's browser asked for
   * @throws AppError `invalid_code` for any fault of the proof, `forbidden` if the method was switched off meanwhile,
   * `invalid_credentials` if the account was disabled meanwhile, `rate_limited`
   */
  async complete(request: SignInRequest, proof: Proof, asked: readonly string[]): Promise<SignInOutcome> {
    const { act } = request;
    const { application } = act;
    const { accounts, emailProofs, flows, signIns } = this.identity;
    const { flow, state, spend } = await checkProof(this.identity, act, ["sign_in"], proof);
    await emailProofs.requireAsker(proof, flow, asked);
    const { method, emailId } = state as unknown as State;
    const { user_id: userId } = flow;
    if (userId === null || emailId === null) throw new AppError("invalid_code");
    signIns.requireMethod(application, method);
    const address = { userId, emailId };
    return signIns.complete(request, {
      method,
      amr: ["otp"],
      aal: "aal1",
      userId,
      commit: async (tx, now) => {
        await spend(tx);
        await flows.endAll(tx, userId, "sign_in", application.id);
        await accounts.actByMail(tx, now, act, address, request.replaces);
        return userId;
      },
    });
  }

  /**
   * Tells what a link would do, without doing it, for the page that the link opens.
   * @throws AppError `invalid_code` for a link that no longer works, and for another tenant's
   */
  async describe({ application: caller }: Act, token: string, browser: Browser) {
    const { emailProofs, directory, storage } = this.identity;
    const { flow, state } = await emailProofs.check(KINDS, { token });
    const application = flow.tenant_id === caller.tenant.id ? await directory.application(flow.application_id) : null;
    if (!application || application.disabled) throw new AppError("invalid_code");
    const said = typeof state.email === "string" ? state.email : null;
    const primary = flow.user_id === null ? undefined : await findPrimary(storage.read, flow.user_id);
    const email = said ?? primary?.address ?? null;
    // The address joins this account, which may be a stranger's.
    const joins = flow.kind === "verify_email" || (flow.kind === "sign_up" && flow.user_id !== null);
    const isOfAccount = !joins || (await this.#isOfAccount(await browser.sid(application), flow.user_id));
    return {
      kind: flow.kind as ProofKind,
      email: email === null ? null : maskEmail(email),
      application: { id: application.id, name: application.name, home_url: application.homeUrl },
      expires_at: toWireTime(flow.expires_at),
      works_here: (await emailProofs.mayUseLink(flow, browser.asked(application))) && isOfAccount,
      account: primary ? maskEmail(primary.address) : null,
      asked_at: toWireTime(flow.created_at),
      asked_by: typeof state.device === "string" ? state.device : null,
    };
  }

  async #isOfAccount(sid: string | null, userId: string | null): Promise<boolean> {
    const { clock, storage } = this.identity;
    const session = sid === null ? undefined : await findSession(storage.read, sid);
    return session !== undefined && session.user_id === userId && isLiveSession(session, clock.now());
  }
}

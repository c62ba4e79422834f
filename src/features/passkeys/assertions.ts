import { AppError } from "../../core/errors.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Application } from "../../identity/applications/application.ts";
import { relyingPartyOf } from "../../identity/applications/relying-party.ts";
import { ANONYMOUS, userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import type { PasskeysTable } from "../../storage/schema-people.ts";
import type { Executor } from "../../storage/storage.ts";
import { type Assertion, REFUSED, verifyAssertion } from "./ceremony.ts";
import { type Challenge, type Challenges, LIFETIME, type Purpose } from "./challenges.ts";
import { findByCredential, touchPasskey } from "./store.ts";
import type { AssertionResponse, RequestOptions } from "./wire.ts";

interface Answer {
  purpose: Purpose;
  act: Act;
  flowId: string;
  response: AssertionResponse;
  /** The required owner of the passkey; null: the answer names the owner. */
  owner: string | null;
}

/** A right answer that is not spent yet. */
export interface RightAnswer {
  userId: string;
  userVerified: boolean;
  /** RFC 8176 values. */
  amr: string[];
  /** Spends the challenge and records the use. @throws AppError `invalid_code` */
  commit(tx: Executor, now: number): Promise<void>;
}

/** A P-256 key (COSE) that nobody holds: with it an unknown credential costs the same work as a known one. */
const NOBODYS_KEY = Buffer.from(
  "a50102032620012158209b4b6abf8db7731063109176bb2a8450e13844c9461f6734a08c28b22e8875f3" +
    "225820be239ad476f4ddb6daf1f05124726cd26bdd4a80ff8e72b3887980a3706ec235",
  "hex",
);

/** Asks for passkeys and judges the answers, both for a sign-in and for a second factor. */
export class Assertions {
  constructor(
    private readonly identity: Pick<Identity, "clock" | "directory" | "storage">,
    private readonly challenges: Challenges,
  ) {}

  /** @param allowed the passkeys that would do; empty: any passkey of the person */
  async ask(purpose: Purpose, application: Application, owner: string | null, allowed: readonly PasskeysTable[]) {
    const party = relyingPartyOf(this.identity.directory, application);
    const { flowId, challenge, expiresIn } = await this.challenges.start(purpose, application, owner);
    const publicKey: RequestOptions = {
      challenge,
      rpId: party.id,
      allowCredentials: allowed.map(({ credential_id: id, transports }) => ({
        id,
        type: "public-key",
        transports: JSON.parse(transports) as string[],
      })),
      timeout: LIFETIME,
      // Asks for verification only where the authenticator can do it. A user without a sensor or PIN still signs in, and the
      // application's policy may ask for more.
      userVerification: "preferred",
    };
    return { flowId, publicKey, expiresIn };
  }

  /** Judges an answer without spending it. @throws AppError `invalid_code`, the same for any fault */
  async check(answer: Answer): Promise<RightAnswer> {
    const { act, response, owner } = answer;
    const { application } = act;
    const challenge = await this.challenges.find(answer.purpose, answer.flowId, application, owner);
    const { storage, directory } = this.identity;
    const party = relyingPartyOf(directory, application);
    const passkey = await findByCredential(storage.read, application.tenant.id, response.id);
    const publicKey = passkey?.public_key ?? NOBODYS_KEY;
    const expected = { party, challenge: challenge.value, publicKey };
    const assertion = await verifyAssertion(response, expected).catch((error: unknown) => error);
    if (assertion instanceof Error || !passkey || !isOwned(passkey, answer, party.id)) {
      await this.#auditRefusal(act, passkey?.user_id ?? null);
      throw assertion instanceof AppError ? assertion : new AppError("invalid_code", { message: REFUSED });
    }
    const right = assertion as Assertion;
    await this.#requireSameAuthenticator(answer, passkey, right);
    return {
      userId: passkey.user_id,
      userVerified: right.userVerified,
      amr: amrOf(right),
      commit: (tx, now) => this.#spend(tx, now, challenge, passkey, right),
    };
  }

  async #spend(tx: Executor, now: number, challenge: Challenge, passkey: PasskeysTable, assertion: Assertion) {
    await this.challenges.consume(tx, challenge);
    const { counter, backedUp } = assertion;
    const use = { id: passkey.id, user_id: passkey.user_id, counter, is_backed_up: backedUp ? 1 : 0, now } as const;
    if (!(await touchPasskey(tx, use))) throw new AppError("invalid_code", { message: REFUSED });
  }

  /**
   * A counter that does not increase means that a copy of the key exists (section 6.1.1). Backup eligibility is fixed when a
   * passkey is made (section 7.2, step 19). Both are recorded: the signature is right, so an authenticator
   * really did this.
   */
  async #requireSameAuthenticator(answer: Answer, passkey: PasskeysTable, assertion: Assertion): Promise<void> {
    const { counter, backupEligible } = assertion;
    const isCopy = (counter > 0 || passkey.counter > 0) && counter <= passkey.counter;
    if (!isCopy && backupEligible === (passkey.is_backup_eligible === 1)) return;
    const { storage, clock } = this.identity;
    const act = answer.act.by(ANONYMOUS);
    const action = isCopy ? "passkey.counter_went_back" : "passkey.backup_eligibility_changed";
    const details = { user_id: passkey.user_id, ...(isCopy ? { counter, stored: passkey.counter } : {}) };
    await storage.write((tx) => act.audit(tx, clock.now(), action, { kind: "passkey", id: passkey.id }, details));
    throw new AppError("invalid_code", { message: REFUSED });
  }

  #auditRefusal(act: Act, userId: string | null): Promise<void> {
    const { storage, clock } = this.identity;
    const target = userId === null ? null : userRef(userId);
    return storage.write((tx) => act.auditRefusal(tx, clock.now(), "sign_in.refused", target, { method: "passkey" }));
  }
}

/**
 * Checks section 7.2, steps 5 and 6: the passkey belongs to the expected user, or to the user in the answer, and to this
 * domain.
 */
function isOwned(passkey: PasskeysTable, { owner, response }: Answer, rpId: string): boolean {
  const handle = response.response.userHandle ?? null;
  const isNamed = handle === null ? owner !== null : handle === userHandleOf(passkey.user_id);
  return isNamed && (owner === null || owner === passkey.user_id) && passkey.rp_id === rpId;
}

/**
 * Encodes the 16 bytes of the user id in base64url. It holds no address and nothing that identifies the person (section
 * 14.6.1).
 */
export function userHandleOf(userId: string): string {
  return Buffer.from(userId.replaceAll("-", ""), "hex").toString("base64url");
}

/**
 * Returns RFC 8176 values: `swk` for a key that its provider may copy to other devices, `hwk` for a key that cannot leave its
 * device; `user`, because every answer tests the person's presence; `mfa`, because a verified person has proven the device and
 * its PIN, face or finger. (WebAuthn does not tell which of them it was.)
 */
function amrOf({ backupEligible, userVerified }: Assertion): string[] {
  return [backupEligible ? "swk" : "hwk", "user", ...(userVerified ? ["mfa"] : [])];
}

import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Application } from "../../identity/applications/application.ts";
import { relyingPartyOf } from "../../identity/applications/relying-party.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import { requireClaim } from "../../identity/sign-in/sign-up.ts";
import type { Credentials } from "../../identity/users/credentials.ts";
import { countEmails } from "../../identity/users/emails/public.ts";
import type { AdmittedSession } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";
import type { PasskeysTable } from "../../storage/schema-people.ts";
import type { Executor } from "../../storage/storage.ts";
import { userHandleOf } from "./assertions.ts";
import { ALGORITHM_IDS, verifyRegistration } from "./ceremony.ts";
import { type Challenges, LIFETIME } from "./challenges.ts";
import { defaultName } from "./names.ts";
import { deletePasskey, insertPasskey, pageOfPasskeys, passkeysOf, renamePasskey } from "./store.ts";
import { type CreationOptions, type RegistrationResponse, toWirePasskey, type WirePasskey } from "./wire.ts";

const PURPOSE = "passkey_registration";
/** More passkeys would be forgotten devices, and nobody would notice a stranger's among them. */
const MAX_PASSKEYS = 10;

/** Adds, lists, renames and removes a person's own passkeys. */
export class Passkeys {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "clock" | "credentials" | "directory" | "secondFactors" | "signIns" | "storage"
    >,
    private readonly challenges: Challenges,
  ) {}

  /** @throws AppError `forbidden`, `address_unproven`, `conflict` (there are ten), `rate_limited` */
  async begin(caller: AdmittedSession) {
    const { act, session } = caller;
    const { application } = act;
    requireUse(application);
    if (session.is_anonymous === 1) requireClaim(application, "passkey");
    await this.identity.accounts.requireProven(this.identity.storage.read, session.user_id);
    await this.challenges.admit(act);
    const known = await passkeysOf(this.identity.storage.read, session.user_id);
    requireRoom(known.length);
    const party = relyingPartyOf(this.identity.directory, application);
    const label = session.email ?? session.display_name ?? application.name;
    const { flowId, challenge, expiresIn } = await this.challenges.start(PURPOSE, application, session.user_id);
    const publicKey: CreationOptions = {
      rp: { id: party.id, name: party.name },
      user: { id: userHandleOf(session.user_id), name: label, displayName: session.display_name ?? label },
      challenge,
      pubKeyCredParams: ALGORITHM_IDS.map((alg) => ({ type: "public-key", alg })),
      timeout: LIFETIME,
      excludeCredentials: known
        .filter(({ rp_id }) => rp_id === party.id)
        .map(({ credential_id: id, transports }) => ({
          id,
          type: "public-key",
          transports: JSON.parse(transports) as string[],
        })),
      // Discoverable, so that the passkey signs in without a name. Verification is preferred and not required: each use tells
      // whether it verified, and a key without a PIN is still a second factor.
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "preferred" },
      attestation: "none",
      extensions: { credProps: true },
    };
    return { flowId, publicKey, expiresIn };
  }

  /**
   * @throws AppError `forbidden`, `address_unproven`, `invalid_code`, `conflict` (there are ten; registered already),
   * `token_revoked`
   */
  async complete(
    caller: AdmittedSession,
    input: { flowId: string; response: RegistrationResponse; name: string | null },
  ): Promise<WirePasskey> {
    const { act, session } = caller;
    const { application, origin } = act;
    const { accounts, storage, clock, directory } = this.identity;
    const { user_id: userId } = session;
    requireUse(application);
    const challenge = await this.challenges.find(PURPOSE, input.flowId, application, userId);
    const party = relyingPartyOf(directory, application);
    const made = await verifyRegistration(input.response, { party, challenge: challenge.value });
    const transports = knownTransports(input.response);
    const { aaguid } = made;
    const now = clock.now();
    const row: PasskeysTable = {
      id: newId(now),
      tenant_id: application.tenant.id,
      user_id: userId,
      credential_id: made.id,
      public_key: made.publicKey,
      rp_id: party.id,
      counter: made.counter,
      transports: JSON.stringify(transports),
      aaguid,
      is_backup_eligible: made.backupEligible ? 1 : 0,
      is_backed_up: made.backedUp ? 1 : 0,
      name: input.name ?? defaultName({ aaguid, transports, userAgent: origin.userAgent }),
      created_at: now,
      last_used_at: null,
    };
    await storage.write(async (tx) => {
      await this.challenges.consume(tx, challenge);
      await lockSession(tx, session, now);
      await accounts.requireProven(tx, userId);
      requireRoom((await passkeysOf(tx, userId)).length);
      if (!(await insertPasskey(tx, row))) {
        throw new AppError("conflict", { message: "This passkey is already registered." });
      }
      await this.identity.signIns.claim(tx, now, { act, userId, sid: session.sid, kind: "passkey" });
      await accounts.credentialChanged(tx, now, act, { ...changeOf(row, session), reason: "passkey_added" });
    });
    return toWirePasskey(row);
  }

  async list({ session }: AdmittedSession, limit: number, cursor: string | null) {
    const after = cursor ?? "";
    const page = { user_id: session.user_id, after, limit: limit + 1 };
    return cutPage(await pageOfPasskeys(this.identity.storage.read, page), limit, (row) => row.id, toWirePasskey);
  }

  /** @throws AppError `not_found` */
  rename(caller: AdmittedSession, id: string, name: string): Promise<WirePasskey> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      const row = await renamePasskey(tx, caller.session.user_id, id, name);
      if (!row) throw new AppError("not_found");
      await caller.act.audit(tx, clock.now(), "passkey.renamed", targetOf(row), described(row));
      return toWirePasskey(row);
    });
  }

  /**
   * Ends the user's other sessions: the passkey may be removed because of an attacker, who may hold one of them.
   * @throws AppError `not_found`, `conflict` (the last way to sign in), `forbidden` (the last second factor where one is
   * required)
   */
  remove(caller: AdmittedSession, id: string): Promise<void> {
    const { act, session } = caller;
    const { application } = act;
    const { accounts, storage, clock, secondFactors } = this.identity;
    const { user_id: userId } = session;
    return storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      const row = await deletePasskey(tx, userId, id);
      if (!row) throw new AppError("not_found");
      await requireAnotherWayIn(this.identity.credentials, tx, application, row);
      if (application.mfa === "required" && (await secondFactors.enrolled(tx, userId, null)).length === 0) {
        const message = "This application requires a second factor, and this is your last one. Add another one first.";
        throw new AppError("forbidden", { message });
      }
      await accounts.credentialChanged(tx, now, act, { ...changeOf(row, session), reason: "passkey_removed" });
    });
  }
}

function changeOf(row: PasskeysTable, { sid }: { sid: string }) {
  return { userId: row.user_id, keep: sid, target: targetOf(row), details: described(row) };
}

function targetOf({ id }: PasskeysTable) {
  return { kind: "passkey", id };
}

/** Describes a passkey for audit entries, because it may be deleted before somebody reads them. */
function described({ name, rp_id, aaguid }: PasskeysTable) {
  return { name, rp_id, aaguid };
}

/** Refuses a passkey that would be neither a way to sign in nor a second factor: nobody would ever be asked for it. */
function requireUse({ signInMethods, mfa }: Application): void {
  if (signInMethods.has("passkey") || mfa !== "off") return;
  throw new AppError("forbidden", { message: "This application does not take passkeys." });
}

function requireRoom(count: number): void {
  if (count < MAX_PASSKEYS) return;
  const message = `An account has at most ${MAX_PASSKEYS} passkeys. Remove one that you no longer use.`;
  throw new AppError("conflict", { message });
}

/** Runs after the removal of `removed`, and refuses it if the user could not sign in again and would lose the account. */
async function requireAnotherWayIn(
  credentials: Credentials,
  tx: Executor,
  application: Application,
  removed: PasskeysTable,
): Promise<void> {
  const { signInMethods } = application;
  const left = (await passkeysOf(tx, removed.user_id)).filter(({ rp_id }) => rp_id === removed.rp_id);
  if (left.length > 0) return;
  const held = await credentials.methodsOf(tx, removed.user_id);
  // A sign-in by password names an address.
  const isNamed = (await countEmails(tx, removed.user_id)) > 0;
  const isWayIn = (method: string) => signInMethods.has(method) && (method !== "password" || isNamed);
  if ([...held].some((method) => method !== "passkey" && isWayIn(method))) return;
  throw new AppError("conflict", {
    message: "This passkey is your last way to sign in. Set a password, prove an address or add another passkey first.",
  });
}

/** Returns hints for the browser's next question. Drops values that do not have the registry's form (section 5.8.4). */
function knownTransports({ response }: RegistrationResponse): string[] {
  const words = (response.transports ?? []).filter((transport) => /^[a-z][a-z-]{1,30}$/.test(transport));
  return [...new Set(words)].sort();
}

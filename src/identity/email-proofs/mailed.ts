import { type Clock, DAY, MINUTE } from "../../core/clock.ts";
import { parseId } from "../../core/ids.ts";
import { parseJsonObject } from "../../core/json.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import type { Outbox } from "../../mail/outbox.ts";
import type { TemplateName } from "../../mail/templates/template.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Flows } from "../flows/flows.ts";
import type { Attempts } from "../limits/attempts.ts";
import { describeDevice } from "../notices/device.ts";
import { momentOf } from "../notices/notices.ts";
import { linkOf } from "./link.ts";
import type { EmailProofs, Proof, ProofKind, Proven, SharedProof, StartedProof } from "./proofs.ts";

export interface ProofMail {
  kind: ProofKind;
  template: TemplateName;
  /** null does the same work but sends no mail. */
  to: string | null;
  /** The user whose account the flow is about; null where there is none (yet). */
  userId: string | null;
  /** The user who gets the mail, if that is not the flow's user. */
  reader?: string | null;
  /** The canonical form of the given address. Guesses at codes are counted by it, whether or not an account has it. */
  canonical: string;
  /** The masked address that the linked page shows. */
  email: string | null;
  state: Record<string, unknown>;
  /** In ms. */
  lifetime: number;
  /** The network that the request counted against, or null. It gets the request back when the mail is used. */
  network?: string | null;
  /** Further values for the words of the mail. */
  values?: Readonly<Record<string, string>>;
}

/** A correct proof. {@link spend} it in the transaction of the act that it allows. */
export interface Checked extends Proven {
  /** Spends the proof. @throws AppError `invalid_code` when another request spent it first */
  spend(tx: Executor): Promise<void>;
}

/** The services that mail and check a proof. */
export interface ProofParts {
  attempts: Attempts;
  clock: Clock;
  flows: Flows;
  outbox: Outbox;
  emailProofs: EmailProofs;
  storage: Storage;
}

/** A proof that signs a user in lives ten minutes at most (ASVS 6.5.5). */
export const PROOF_LIFETIME = 10 * MINUTE;

/** The proofs that open an existing account. */
const OPENING: ReadonlySet<string> = new Set<ProofKind>(["sign_in", "reset_password"]);

/**
 * Like {@link mailProof}, for a mail that depends on nothing but its address. After a few mails within an hour, a request gets the
 * code and the link of the last one, as long as they are good. So a stranger who asks again and again neither floods the mailbox
 * nor keeps the owner from a mail. It runs the same statements for every recipient, even for none.
 */
export async function mailSharedProof(
  identity: ProofParts,
  tx: Executor,
  act: Act,
  order: ProofMail,
): Promise<SharedProof> {
  const { attempts, clock, emailProofs, flows } = identity;
  const { kind, template, canonical, userId, state } = order;
  const { id, tenant } = act.application;
  const mail = sha256Base64url(JSON.stringify([tenant.id, id, kind, template, canonical, userId, state]));
  const mayMail = await attempts.mayMail(tx, mail);
  const pending = await flows.pendingMail(tx, mail);
  if (pending && !mayMail) return emailProofs.share(tx, pending, clock.now());
  return mailProof(identity, tx, act, order, mail);
}

/**
 * Starts a proof and mails it, in one transaction. It runs the same statements for every recipient, even for none. The mail and
 * the linked page name the time and the device of the request, so that a reader recognises a request by a stranger.
 */
export async function mailProof(
  identity: ProofParts,
  tx: Executor,
  act: Act,
  order: ProofMail,
  mail?: string,
): Promise<StartedProof> {
  const { application, origin } = act;
  const { kind, userId, lifetime } = order;
  const { tenant } = application;
  const device = describeDevice(origin.userAgent);
  const proof = await identity.emailProofs.start(tx, {
    kind,
    tenantId: tenant.id,
    applicationId: application.id,
    userId,
    state: {
      ...order.state,
      account: sha256Base64url(order.canonical),
      email: order.email,
      device,
      network: order.network ?? null,
    },
    lifetime,
    ...(mail === undefined ? {} : { mail }),
  });
  await identity.outbox.queue(tx, {
    tenant,
    to: order.to,
    userId: order.reader ?? userId,
    template: order.template,
    values: {
      application: application.name,
      home: application.homeUrl ?? "",
      link: linkOf(tenant, proof.token),
      code: proof.code,
      minutes: String(Math.round(lifetime / MINUTE)),
      days: String(Math.round(lifetime / DAY)),
      device: device ?? "",
      address: origin.address,
      time: momentOf(identity.clock.now()),
      ...order.values,
    },
    languages: origin.languages ?? null,
    expiresAt: identity.clock.now() + lifetime,
  });
  return proof;
}

/**
 * Checks a proof of this application without spending it. A code also counts as an attempt at its address: a guesser who starts
 * many flows gets no more guesses in total than in one flow, from any number of networks.
 * @throws AppError `invalid_code`, `rate_limited`
 */
export async function checkProof(
  identity: ProofParts,
  act: Act,
  kinds: readonly ProofKind[],
  proof: Proof,
): Promise<Checked> {
  const { attempts, emailProofs } = identity;
  const account = "code" in proof ? await accountOf(identity, kinds, proof.flowId) : null;
  const taken = account === null ? null : await attempts.guess(act, "mail-code", account);
  const proven = await emailProofs.check(kinds, proof, act.application.id).catch(async (error: unknown) => {
    const now = identity.clock.now();
    const details = { kind: kinds[0], by: "token" in proof ? "link" : "code" };
    await identity.storage.write((tx) => act.auditRefusal(tx, now, "proof.refused", null, details));
    throw error;
  });
  return {
    ...proven,
    spend: async (tx) => {
      await emailProofs.consume(tx, proven);
      await taken?.giveBack(tx);
      // An office that signs in by mail, all behind one address, uses up no limit.
      if (typeof proven.state.network === "string") await attempts.giveBackMail(tx, proven.state.network);
    },
  };
}

/** Returns the counter of guesses at a flow's code: the account, or the given flow id where no such flow exists. */
async function accountOf({ flows, storage }: ProofParts, kinds: readonly ProofKind[], said: string): Promise<string> {
  const id = parseId("flow", said);
  if (id === null) return said;
  for (const kind of kinds) {
    const flow = await flows.find(storage.read, id, kind);
    const data = flow ? (parseJsonObject(flow.state)?.data as { account?: unknown } | undefined) : undefined;
    // A code that opens an account counts by the account, over all its addresses. Any account may ask to prove an address, so
    // such a code counts by the address: a guesser with many accounts gets no more guesses.
    if (flow?.user_id && OPENING.has(flow.kind)) return flow.user_id;
    if (typeof data?.account === "string") return data.account;
  }
  return id;
}

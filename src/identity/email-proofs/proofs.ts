import { createHmac, randomInt } from "node:crypto";
import { SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import { parseJsonObject } from "../../core/json.ts";
import { typedCode } from "../../core/typed-code.ts";
import * as z from "../../core/zod.ts";
import { digestEquals, newSecret, parseSecret } from "../../crypto/secrets.ts";
import type { FlowsTable } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Flows } from "../flows/flows.ts";
import type { DataKeys } from "../keys/data-keys.ts";
import { LinkIds } from "./link-id.ts";

/** The purpose of a mailed proof, one for each flow. A link of one kind opens nothing of another. */
export type ProofKind =
  | "sign_up"
  | "verify_email"
  | "sign_in"
  | "reset_password"
  | "undo_email_change"
  | "restore_account";

/**
 * A mailed proof as the user returns it: the link's token, or the code with its flow. A client without cookies sends the flow
 * with the token, because only the client that asked for the mail knows the flow.
 */
export type Proof = { token: string; flowId?: string | undefined } | { flowId: string; code: string };

/**
 * The links that work only for the browser that asked for them: those that sign in. Without this rule, an attacker mails the
 * link to the attacker's own account to a victim, who then works in that account (login CSRF), and a thief of a link signs in with
 * it anywhere.
 */
const BOUND: ReadonlySet<ProofKind> = new Set(["sign_in"]);

export interface ProofStart {
  kind: ProofKind;
  tenantId: string;
  applicationId: string;
  /** null where there is no account (yet). The record is made all the same. */
  userId: string | null;
  /** The state that the flow continues with. It is stored unencrypted, so it must hold no secret. */
  state: Record<string, unknown> | ((token: string) => Record<string, unknown>);
  /** In ms. */
  lifetime: number;
  /** The digest of all that decides the mail, if a later request for the same one may use it. */
  mail?: string;
}

/** A request for a proof that a mail on its way answers. */
export type SharedProof = Pick<StartedProof, "flowId" | "expiresIn">;

export interface StartedProof {
  flowId: string;
  /** For the link. */
  token: string;
  /** For users on another device: `1234 5678`. */
  code: string;
  /** In seconds. */
  expiresIn: number;
}

/** A correct proof. Nothing is spent until {@link Proofs.consume}. */
export interface Proven {
  flow: FlowsTable;
  state: Record<string, unknown>;
}

interface Stored {
  link: string;
  code: string;
  pepper: number;
  data: Record<string, unknown>;
}

/** The state of a request whose mail another flow has sent. */
interface Sharing {
  /** The id of that flow. */
  of: string;
  data: Record<string, unknown>;
}

const STEP = "mailed";
/** The number of wrong codes that ends the flow. A link has 256 bits and needs no counter. */
export const MAX_CODES = 5;
const CODE_DIGITS = 8;

/** The fields of a proof in either form, for {@link withProof}. */
export const proofInput = {
  token: z.string().min(1).max(200).optional().describe("The token from the mail's link."),
  flow_id: z.string().min(1).max(64).optional().describe("The `flow_id` from the answer that announced the mail."),
  code: z.string().min(1).max(32).optional().describe("The code from the mail. Spaces and hyphens are ignored."),
};

interface ProofFields {
  token?: string | undefined;
  flow_id?: string | undefined;
  code?: string | undefined;
}

const WRONG_PROOF = "must have either token or code, and with code also flow_id";

/** Makes the input of a procedure take exactly one proof: a token, with its flow or alone, or a flow and a code. */
export function withProof<T extends z.ZodType<ProofFields>>(input: T): T {
  return input
    .refine((fields) => readProof(fields) !== null, WRONG_PROOF)
    .meta({
      oneOf: [
        { required: ["token"], not: { required: ["code"] } },
        { required: ["flow_id", "code"], not: { required: ["token"] } },
      ],
    });
}

function readProof({ token, flow_id: flowId, code }: ProofFields): Proof | null {
  if (token !== undefined && code === undefined) return { token, flowId };
  if (token === undefined && flowId !== undefined && code !== undefined) return { flowId, code };
  return null;
}

/** Returns the proof of an input of {@link withProof}. */
export function proofOf(input: ProofFields): Proof {
  const proof = readProof(input);
  if (!proof) throw invalidField("", WRONG_PROOF);
  return proof;
}

/**
 * Links and codes that are sent by mail and prove that the user reads it. Only digests are stored: SHA-256 of the link's 256
 * bits, and an HMAC of the code under a key outside the database. A check spends nothing, so that a page may show the effect of
 * a proof. A proof is spent once, in the transaction of the act that it allows.
 */
export class EmailProofs {
  readonly #linkIds: LinkIds;

  constructor(
    private readonly storage: Storage,
    private readonly flows: Flows,
    private readonly dataKeys: DataKeys,
  ) {
    this.#linkIds = new LinkIds(dataKeys);
  }

  async start(tx: Executor, start: ProofStart): Promise<StartedProof> {
    const code = String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, "0");
    const pepper = this.dataKeys.current("code-pepper");
    const { kind, tenantId, applicationId, userId, lifetime, mail } = start;
    const flow = {
      tenantId,
      applicationId,
      userId,
      kind,
      step: STEP,
      lifetime,
      ...(mail === undefined ? {} : { mail }),
    };
    const id = this.flows.newId();
    const link = newSecret("ml", this.#linkIds.ofFlow(id));
    const state: Stored = {
      link: Buffer.from(link.digest).toString("base64url"),
      code: codeDigest(pepper.key, id, code),
      pepper: pepper.version,
      data: typeof start.state === "function" ? start.state(link.text) : start.state,
    };
    await this.flows.start(tx, { ...flow, id, state: { ...state } });
    return { flowId: id, token: link.text, code: `${code.slice(0, 4)} ${code.slice(4)}`, expiresIn: lifetime / SECOND };
  }

  /**
   * Starts a request that takes the code and the link of a mail on its way. It counts its own tries: wrong codes of one request
   * must not spoil the code for the others. The first of them to use the mail spends it for all.
   */
  async share(tx: Executor, pending: FlowsTable, now: number): Promise<SharedProof> {
    const { tenant_id: tenantId, application_id: applicationId, user_id: userId, kind } = pending;
    const lifetime = pending.expires_at - now;
    const state: Sharing = { of: pending.id, data: storedOf(pending).data };
    const flow = { tenantId, applicationId, userId, kind, step: STEP, state: { ...state }, lifetime };
    return { flowId: await this.flows.start(tx, flow), expiresIn: Math.ceil(lifetime / SECOND) };
  }

  /**
   * Checks a proof without spending it. A wrong code is counted, and the fifth ends the flow. It does not look at the browser:
   * see {@link requireAsker}.
   * @throws AppError `invalid_code` for every mistake: unknown, wrong, spent, expired, or of another kind
   */
  async check(kinds: readonly ProofKind[], proof: Proof, applicationId: string | null = null): Promise<Proven> {
    const flow = "token" in proof ? await this.#byLink(kinds, proof) : await this.#byCode(kinds, proof);
    if (!flow || (applicationId !== null && flow.application_id !== applicationId)) throw new AppError("invalid_code");
    return { flow, state: storedOf(flow).data };
  }

  /** Spends the proof. Of two simultaneous calls one is refused. @throws AppError `invalid_code` */
  async consume(tx: Executor, { flow }: Proven): Promise<void> {
    const mailed = mailedBy(flow);
    if (!(await this.flows.consume(tx, mailed, flow.kind, STEP))) throw new AppError("invalid_code");
    if (mailed !== flow.id) await this.flows.consume(tx, flow.id, flow.kind, STEP);
  }

  /** Returns whether a browser that asked for the flows `asked` may use the link of this flow. */
  async mayUseLink({ id, kind }: Pick<FlowsTable, "id" | "kind">, asked: readonly string[]): Promise<boolean> {
    if (!BOUND.has(kind as ProofKind) || asked.includes(id)) return true;
    for (const other of asked) if (await this.#shares(other, kind, id)) return true;
    return false;
  }

  /**
   * Refuses a right link in another browser than one that asked for it. A proof that names its flow comes from a client that
   * asked: the flow id is in no mail. @throws AppError `invalid_code`
   */
  async requireAsker(proof: Proof, flow: FlowsTable, asked: readonly string[]): Promise<void> {
    if (proof.flowId !== undefined || (await this.mayUseLink(flow, asked))) return;
    throw new AppError("invalid_code", {
      message:
        "This link works only in the browser that asked for it. Open it there, enter the mail's code there, or ask for a " +
        "new mail here.",
    });
  }

  /** Returns whether the request `id` takes the mail of the flow `mailed`. */
  async #shares(id: string, kind: string, mailed: string): Promise<boolean> {
    const flow = await this.flows.find(this.storage.read, id, kind);
    return flow !== undefined && mailedBy(flow) === mailed;
  }

  async #byLink(
    kinds: readonly ProofKind[],
    proof: { token: string; flowId?: string | undefined },
  ): Promise<FlowsTable | undefined> {
    const parsed = parseSecret("ml", proof.token);
    const named = proof.flowId === undefined ? undefined : parseId("flow", proof.flowId);
    if (!parsed || named === null) return undefined;
    for (const id of this.#linkIds.toFlows(parsed.keyId)) {
      for (const kind of kinds) {
        const flow = await this.flows.find(this.storage.read, id, kind);
        if (!flow) continue;
        const kept = Buffer.from(storedOf(flow).link, "base64url");
        if (!digestEquals(kept, parsed.digest)) return undefined;
        const isNamed = named === undefined || named === flow.id || (await this.#shares(named, kind, flow.id));
        return isNamed ? flow : undefined;
      }
    }
    return undefined;
  }

  async #byCode(kinds: readonly ProofKind[], proof: { flowId: string; code: string }) {
    const id = parseId("flow", proof.flowId);
    const code = typedCode(proof.code);
    if (id === null) return undefined;
    for (const kind of kinds) {
      const flow = await this.storage.write((tx) => this.flows.attempt(tx, id, kind, MAX_CODES));
      if (!flow) continue;
      const mailed = mailedBy(flow) === id ? flow : await this.flows.find(this.storage.read, mailedBy(flow), kind);
      if (!mailed) return undefined;
      const stored = storedOf(mailed);
      const pepper = this.dataKeys.version("code-pepper", stored.pepper);
      const given = pepper ? codeDigest(pepper.key, mailed.id, code) : "";
      return digestEquals(Buffer.from(given), Buffer.from(stored.code)) ? flow : undefined;
    }
    return undefined;
  }
}

/** Returns the id of the flow that sent this flow's mail: its own, or that of the request before. */
function mailedBy(flow: FlowsTable): string {
  const { of } = parseJsonObject(flow.state) as unknown as Partial<Sharing>;
  return of ?? flow.id;
}

function storedOf(flow: FlowsTable): Stored {
  return parseJsonObject(flow.state) as unknown as Stored;
}

function codeDigest(pepper: Uint8Array, flowId: string, code: string): string {
  return createHmac("sha256", pepper).update(`mail-code:${flowId}:${code}`).digest("base64url");
}

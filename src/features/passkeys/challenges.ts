import { MINUTE, SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import { parseJsonObject } from "../../core/json.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Application } from "../../identity/applications/application.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Executor } from "../../storage/storage.ts";

/** The purpose of a challenge. A challenge works for its own purpose only. */
export type Purpose = "passkey_registration" | "passkey_sign_in" | "passkey_second_factor";

/** A challenge that was found and is not spent yet. */
export interface Challenge {
  flowId: string;
  purpose: Purpose;
  /** In base64url. */
  value: string;
}

const STEP = "challenged";
/** How long a challenge waits. A sign-in page that is open longer asks for a new one. */
export const LIFETIME = 10 * MINUTE;

/**
 * Challenges are flow records of 256 random bits: for one purpose, application and user, and for one use (WebAuthn level 3,
 * 13.4.3).
 */
export class Challenges {
  constructor(private readonly identity: Pick<Identity, "attempts" | "flows" | "storage">) {}

  /** Limits the challenges of a network, because each is a row. @throws AppError `rate_limited` */
  async admit(act: Act): Promise<void> {
    await this.identity.attempts.work(act, "challenge");
  }

  /** @param userId null if the request names no user: any owner of a passkey may answer */
  async start(purpose: Purpose, application: Application, userId: string | null) {
    const { flows, storage } = this.identity;
    const challenge = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
    const flowId = await storage.write((tx) =>
      flows.start(tx, {
        tenantId: application.tenant.id,
        applicationId: application.id,
        userId,
        kind: purpose,
        step: STEP,
        state: { challenge },
        lifetime: LIFETIME,
      }),
    );
    return { flowId, challenge, expiresIn: LIFETIME / SECOND };
  }

  /** @throws AppError `invalid_code` if the challenge is unknown, spent, expired, or of another user or purpose */
  async find(purpose: Purpose, flowId: string, application: Application, userId: string | null): Promise<Challenge> {
    const { flows, storage } = this.identity;
    const id = parseId("flow", flowId);
    const flow = id === null ? undefined : await flows.find(storage.read, id, purpose);
    const value = flow ? parseJsonObject(flow.state)?.challenge : undefined;
    if (flow?.application_id !== application.id || flow.user_id !== userId || typeof value !== "string") {
      throw new AppError("invalid_code");
    }
    return { flowId: flow.id, purpose, value };
  }

  /** Spends the challenge. Of several calls at once, one succeeds. @throws AppError `invalid_code` */
  async consume(tx: Executor, { flowId, purpose }: Challenge): Promise<void> {
    if (!(await this.identity.flows.consume(tx, flowId, purpose, STEP))) throw new AppError("invalid_code");
  }
}

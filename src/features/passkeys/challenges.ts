import { MINUTE, SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import { parseJsonObject } from "../../core/json.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Application } from "../../identity/applications/application.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Executor } from "../../storage/storage.ts";

/** A challenge for one purpose is none for another. */
export type Purpose = "passkey_registration" | "passkey_sign_in" | "passkey_second_factor";

/** One that was looked at and is not spent yet. */
export interface Challenge {
  flowId: string;
  purpose: Purpose;
  /** base64url. */
  value: string;
}

const STEP = "challenged";
/** A sign-in page offers passkeys for as long as it is looked at, and asks for a new challenge after that. */
export const LIFETIME = 10 * MINUTE;

/** Challenges are flow records: 256 random bits, of one purpose, application and user, good once (WebAuthn level 3, 13.4.3). */
export class Challenges {
  constructor(private readonly identity: Pick<Identity, "attempts" | "flows" | "settings" | "storage">) {}

  /** Counts what one network asks for: each is a row. @throws AppError `rate_limited` */
  async admit(act: Act): Promise<void> {
    const { attempts, settings } = this.identity;
    await attempts.take(act, [[`passkey:${act.origin.network}`, settings.limit_network]]);
  }

  /** @param userId null where nobody is named: whoever has a passkey may answer */
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

  /** @throws AppError `invalid_code` for one that is unknown, spent, expired, or anybody else's */
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

  /** Spends it: of many at once one gets through. @throws AppError `invalid_code` */
  async consume(tx: Executor, { flowId, purpose }: Challenge): Promise<void> {
    if (!(await this.identity.flows.consume(tx, flowId, purpose, STEP))) throw new AppError("invalid_code");
  }
}

import { AppError } from "../../core/errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { findSessionOf, pageOfApplication, pageOfSessions } from "../../identity/sessions/public.ts";
import type { AdmittedKey } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";
import type { SessionsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { toManagedSession, type WireManagedSession } from "./wire.ts";

/** Manages the sessions of the calling key's own application. It finds no session of the tenant's other applications. */
export class SessionService {
  constructor(private readonly identity: Pick<Identity, "clock" | "sessions" | "storage">) {}

  async list(caller: AdmittedKey, filter: { limit: number; cursor: string | null; userId: string | null }) {
    const after = filter.cursor ?? "";
    const { storage, clock } = this.identity;
    const { userId } = filter;
    const page = { applicationId: caller.act.application.id, now: clock.now(), after, limit: filter.limit + 1 };
    const rows = await (userId === null
      ? pageOfApplication(storage.read, page)
      : pageOfSessions(storage.read, { ...page, userId }));
    return cutPage(rows, filter.limit, (row) => row.id, toManagedSession);
  }

  /** @throws AppError `not_found` */
  async get(caller: AdmittedKey, id: string): Promise<WireManagedSession> {
    return toManagedSession(await this.#own(this.identity.storage.read, caller, id));
  }

  /** A second revocation is not an error. @throws AppError `not_found` */
  revoke(caller: AdmittedKey, id: string): Promise<WireManagedSession> {
    const { storage, sessions } = this.identity;
    return storage.write(async (tx) => {
      await this.#own(tx, caller, id);
      await sessions.end(tx, caller.act, id, "revoked");
      return toManagedSession(await this.#own(tx, caller, id));
    });
  }

  async #own(at: Executor, caller: AdmittedKey, id: string): Promise<SessionsTable> {
    const row = await findSessionOf(at, caller.act.application.id, id);
    if (!row) throw new AppError("not_found");
    return row;
  }
}

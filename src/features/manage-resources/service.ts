import { AppError, invalidField } from "../../core/errors.ts";
import { newId, parseId } from "../../core/ids.ts";
import { once, type RepeatableCall } from "../../identity/idempotency/idempotency.ts";
import type { Identity } from "../../identity/identity.ts";
import {
  deleteResource,
  findResource,
  insertResource,
  pageOfResources,
  updateResource,
} from "../../identity/resources/public.ts";
import { DEFAULT_TENANT_SLUG } from "../../identity/tenants/tenant.ts";
import type { AdmittedKey } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { ApiResourcesTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { type ResourceScope, toWireResource, type WireResource } from "./wire.ts";

interface NewResource {
  audience: string;
  name: string;
  scopes: readonly ResourceScope[];
}

/** Manages the tenant's API resources: every application's key with the scope acts on the same list. */
export class ResourceService {
  constructor(private readonly identity: Pick<Identity, "clock" | "directory" | "storage">) {}

  /** @throws AppError `invalid_input` (an audience of the appliance itself), `conflict` (taken in the tenant) */
  create(caller: AdmittedKey, input: NewResource, call: RepeatableCall | null): Promise<WireResource> {
    this.#requireForeign(input.audience);
    const { storage, clock } = this.identity;
    const now = clock.now();
    const row: ApiResourcesTable = {
      id: newId(now),
      tenant_id: caller.act.application.tenant.id,
      audience: input.audience,
      name: input.name,
      scopes: JSON.stringify(input.scopes),
      created_at: now,
      updated_at: now,
    };
    const work = async (tx: Executor) => {
      try {
        await insertResource(tx, row);
      } catch (error) {
        if (!isUniqueViolation(error, "audience")) throw error;
        throw new AppError("conflict", {
          message: "Another resource has this audience. Choose another one.",
          details: [{ path: "audience", reason: "is taken" }],
        });
      }
      await caller.act.audit(tx, now, "resource.created", targetOf(row), { audience: row.audience });
      return toWireResource(row);
    };
    const replay = async (tx: Executor, id: string) => toWireResource(found(await this.#find(tx, caller, id)));
    return storage.write((tx) =>
      once(
        tx,
        now,
        call,
        row.id,
        () => work(tx),
        (id) => replay(tx, id),
      ),
    );
  }

  async list(caller: AdmittedKey, limit: number, cursor: string | null) {
    const after = cursor ?? "";
    const page = { tenantId: caller.act.application.tenant.id, after, limit: limit + 1 };
    return cutPage(await pageOfResources(this.identity.storage.read, page), limit, (row) => row.id, toWireResource);
  }

  /** @throws AppError `not_found` unless this is a resource of the caller's tenant */
  async get(caller: AdmittedKey, id: string): Promise<WireResource> {
    return toWireResource(found(await this.#find(this.identity.storage.read, caller, id)));
  }

  /** @throws AppError `not_found` */
  update(
    caller: AdmittedKey,
    id: string,
    changes: { name: string | undefined; scopes: readonly ResourceScope[] | undefined },
  ): Promise<WireResource> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      const now = clock.now();
      const columns = {
        ...(changes.name === undefined ? {} : { name: changes.name }),
        ...(changes.scopes === undefined ? {} : { scopes: JSON.stringify(changes.scopes) }),
      };
      const set = { ...columns, updated_at: now };
      const row = found(await updateResource(tx, caller.act.application.tenant.id, id, set));
      await caller.act.audit(tx, now, "resource.changed", targetOf(row), { fields: Object.keys(columns) });
      return toWireResource(row);
    });
  }

  /** @throws AppError `not_found` */
  delete(caller: AdmittedKey, id: string): Promise<void> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      const row = found(await deleteResource(tx, caller.act.application.tenant.id, id));
      await caller.act.audit(tx, clock.now(), "resource.deleted", targetOf(row), { audience: row.audience });
    });
  }

  /**
   * Refuses audiences of the appliance itself (`<issuer>/api/<id>`, `<issuer>/management`) and bare client ids: a resource with
   * such a name would get tokens that open other doors.
   */
  #requireForeign(audience: string): void {
    const own = this.identity.directory.issuerOf(DEFAULT_TENANT_SLUG).toLowerCase();
    const text = audience.toLowerCase();
    if (text === own || text.startsWith(`${own}/`)) {
      throw invalidField(
        "audience",
        "must not lie under the public address of the appliance, which keeps it for itself",
      );
    }
    if (parseId("application", audience) !== null) throw invalidField("audience", "must not be a client id");
  }

  #find(at: Executor, caller: AdmittedKey, id: string): Promise<ApiResourcesTable | undefined> {
    return findResource(at, caller.act.application.tenant.id, id);
  }
}

function targetOf(row: ApiResourcesTable) {
  return { kind: "resource", id: row.id };
}

function found(row: ApiResourcesTable | undefined): ApiResourcesTable {
  if (!row) throw new AppError("not_found");
  return row;
}

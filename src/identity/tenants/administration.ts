import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { TenantsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { placeOf, systemAct } from "../audit/act.ts";
import { PATH_WORDS, SLUG } from "./slug.ts";
import { insertTenant } from "./store.ts";
import { tenantName } from "./tenant-settings.ts";

/** Creates a tenant. @throws AppError `invalid_input`, `conflict` */
export async function createTenant(
  tx: Executor,
  now: number,
  input: { slug: string; name: string },
): Promise<TenantsTable> {
  if (!SLUG.test(input.slug)) {
    throw invalidField("slug", "must be 1 to 63 lower-case letters, digits and hyphens, as in a host name");
  }
  if (PATH_WORDS.has(input.slug)) {
    throw invalidField("slug", `must be another word: ${input.slug} is part of the server's own addresses`);
  }
  const name = tenantName.safeParse(input.name);
  if (!name.success) throw invalidField("name", name.error.issues[0]?.message ?? "is not valid");
  const row: TenantsTable = {
    id: newId(now),
    slug: input.slug,
    name: name.data,
    default_application_id: null,
    created_at: now,
    updated_at: now,
    disabled_at: null,
    language: "en",
    mail_from: null,
    mail_reply_to: null,
    notices_off: "[]",
  };
  try {
    await insertTenant(tx, row);
  } catch (error) {
    if (isUniqueViolation(error)) throw new AppError("conflict", { message: `A tenant ${input.slug} already exists.` });
    throw error;
  }
  const target = { kind: "tenant", id: row.id };
  await systemAct(placeOf(row.id)).audit(tx, now, "tenant.created", target, { slug: row.slug });
  return row;
}

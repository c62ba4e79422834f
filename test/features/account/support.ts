import { sql } from "kysely";
import { newId } from "../../../src/core/ids.ts";
import { sha256Base64url } from "../../../src/crypto/secrets.ts";
import type { TestApp } from "../../support/app.ts";

/** A value that must appear nowhere, in no form: bytes as base64url, hex and JSON would show them. */
export const SECRET_BYTES = Buffer.from("totp-secret-or-public-key-of-somebody");

/** Adds TOTP, three recovery codes with one used, and two passkeys, as their features write them. */
export async function addFactors(app: TestApp, userId: string, tenantId: string = app.tenantId): Promise<void> {
  const now = app.clock.now();
  const common = { user_id: userId, tenant_id: tenantId, created_at: now };
  await app.storage.write(async ({ kysely }) => {
    await kysely
      .insertInto("totp_factors")
      .values({ ...common, sealed_secret: SECRET_BYTES, last_step: 7, enabled_at: now, last_used_at: null })
      .execute();
    for (const [index, used_at] of [null, null, now].entries()) {
      const digest = sha256Base64url(`recovery:${userId}:${index}`);
      app.secrets.add(`recovery:${userId}:${index}`);
      await kysely
        .insertInto("recovery_codes")
        .values({ ...common, digest, pepper_version: 1, used_at })
        .execute();
    }
    for (const name of ["Phone", "Key"]) {
      await kysely
        .insertInto("passkeys")
        .values({
          ...common,
          id: newId(now),
          credential_id: sha256Base64url(`${userId}:${name}`),
          public_key: SECRET_BYTES,
          rp_id: "localhost",
          counter: 3,
          transports: '["internal"]',
          aaguid: "00000000-0000-0000-0000-000000000000",
          is_backup_eligible: 1,
          is_backed_up: 1,
          name,
          last_used_at: null,
        })
        .execute();
    }
  });
}

/** Returns every table with a column `user_id`, as the database itself lists them. */
export async function tablesOfUsers(app: TestApp): Promise<string[]> {
  const query =
    app.storage.dialect === "sqlite"
      ? sql<{ name: string }>`SELECT t.name AS name FROM pragma_table_list t JOIN pragma_table_info(t.name) c
          WHERE t.schema = 'main' AND c.name = 'user_id'`
      : sql<{ name: string }>`SELECT table_name AS name FROM information_schema.columns
          WHERE table_schema = 'public' AND column_name = 'user_id'`;
  const { rows } = await query.execute(app.storage.read.kysely);
  return rows.map((row) => row.name).sort();
}

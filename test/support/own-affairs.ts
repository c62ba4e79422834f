import { newId } from "../../src/core/ids.ts";
import { sha256Base64url } from "../../src/crypto/secrets.ts";
import type { TestApp } from "./app.ts";
import type { Answer } from "./client.ts";

/** Allows anonymous users and passwords in every application. */
export async function allowAnonymous(app: TestApp): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("applications").set({ sign_in_methods: '["password","anonymous"]' }).execute();
  });
  app.forget();
}

/** Makes an anonymous user in the test's own application. */
export async function anonymousUser(app: TestApp, metadata: Record<string, unknown> = {}): Promise<Answer> {
  return app.client({ "x-application-id": app.applicationId }).post("/v1/auth/anonymous", { metadata });
}

/**
 * Trusts a device without the usual second factor.
 * @returns its id
 */
export async function trustDevice(
  app: TestApp,
  userId: string,
  options: { applicationId?: string; tenantId?: string; userAgent?: string; lifetime?: number } = {},
): Promise<string> {
  const now = app.clock.now();
  const id = newId(now);
  await app.storage.write(async (tx) => {
    await tx.kysely
      .insertInto("trusted_devices")
      .values({
        id,
        tenant_id: options.tenantId ?? app.tenantId,
        application_id: options.applicationId ?? app.applicationId,
        user_id: userId,
        secret_digest: Buffer.from(sha256Base64url(id), "base64url"),
        user_agent: options.userAgent ?? null,
        created_at: now,
        last_used_at: null,
        expires_at: now + (options.lifetime ?? 86_400_000),
      })
      .execute();
  });
  return id;
}

/** Marks the address of an account as proven. */
export async function proveAddress(app: TestApp, userId: string): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("user_emails").set({ verified_at: 1 }).where("user_id", "=", userId).execute();
  });
}

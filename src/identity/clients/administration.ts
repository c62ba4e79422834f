import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { newSecret } from "../../crypto/secrets.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { ApplicationsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { SCOPES, type Scope } from "../api-keys/scopes.ts";
import { revokeTokens } from "../applications/revoke-tokens.ts";
import { placeOf, systemAct } from "../audit/act.ts";
import { findResourceScopes } from "../resources/public.ts";
import {
  deleteClientGrant,
  findClientSecret,
  insertClientSecret,
  listClientSecrets,
  putClientGrant,
  revokeClientSecretRow,
} from "./store.ts";

/** Stands for `<issuer>/management` in a grant, so that a changed address changes no grant. */
export const MANAGEMENT = "management";
/**
 * The scopes that a {@link MANAGEMENT} grant may hold. `forward` is missing: it serves a browser's sign-in, which no M2M client
 * handles.
 */
export const MANAGEMENT_SCOPES: readonly Scope[] = SCOPES.filter((scope) => scope !== "forward");
/** RFC 6749 section 3.3. */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/;

/** The secret in use and its successor. A lost third secret would go unnoticed. */
const SECRETS = 2;

/**
 * Adds a secret to an M2M client. It works at once, beside the earlier one.
 * @returns the secret, which is stored nowhere
 * @throws AppError `conflict` when two live already, or unless the application has type `m2m`
 */
export async function createClientSecret(
  tx: Executor,
  now: number,
  application: ApplicationsTable,
): Promise<{ id: string; secret: string }> {
  requireClient(application);
  const taken = (await listClientSecrets(tx, application.id))
    .filter((row) => row.revoked_at === null)
    .map((row) => row.slot);
  const slot = [1, 2].find((candidate) => !taken.includes(candidate));
  if (slot === undefined || taken.length >= SECRETS) throw tooMany();
  const id = newId(now);
  const { text, digest } = newSecret("cs", id);
  try {
    await insertClientSecret(tx, {
      id,
      tenant_id: application.tenant_id,
      application_id: application.id,
      slot,
      secret_digest: digest,
      created_at: now,
      last_used_at: null,
      revoked_at: null,
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw tooMany();
    throw error;
  }
  await actIn(application).audit(tx, now, "client_secret.created", { kind: "client_secret", id });
  return { id, secret: text };
}

/** Revokes a secret at once, and the tokens that it obtained. @throws AppError `not_found` */
export async function revokeClientSecret(tx: Executor, now: number, application: ApplicationsTable, id: string) {
  const row = await findClientSecret(tx, id);
  if (!row || row.application_id !== application.id) throw new AppError("not_found");
  const revoked = await revokeClientSecretRow(tx, id, now);
  if (revoked) {
    const { id: applicationId, tenant_id: tenantId } = application;
    await revokeTokens(tx, now, { tenantId, applicationId, kind: "secret", id, isFinal: true });
    await actIn(application).audit(tx, now, "client_secret.revoked", { kind: "client_secret", id });
  }
  return revoked ?? row;
}

/**
 * Sets the scopes that a client may request at one audience, and replaces the earlier grant.
 * @param audience {@link MANAGEMENT} or the audience of an API resource of the tenant
 * @throws AppError `invalid_input`, `conflict` unless the application has type `m2m`
 */
export async function grantClient(
  tx: Executor,
  now: number,
  application: ApplicationsTable,
  audience: string,
  scopes: readonly string[],
): Promise<void> {
  requireClient(application);
  const known: readonly string[] | undefined =
    audience === MANAGEMENT ? MANAGEMENT_SCOPES : await findResourceScopes(tx, application.tenant_id, audience);
  if (!known) throw invalidField("audience", "must be `management` or the audience of an API resource of the tenant");
  const unknown = scopes.find((scope) => !known.includes(scope));
  if (unknown !== undefined) throw invalidField("scope", `${unknown} is not a scope of ${audience}`);
  const row = { application_id: application.id, audience, tenant_id: application.tenant_id };
  const unique = [...new Set(scopes)];
  await putClientGrant(tx, { ...row, scopes: JSON.stringify(unique), created_at: now, updated_at: now });
  const target = { kind: "application", id: application.id };
  await actIn(application).audit(tx, now, "client.granted", target, { audience, scopes: unique });
}

/** Removes the grant at an audience, also for tokens that are already issued. @throws AppError `not_found` */
export async function ungrantClient(tx: Executor, now: number, application: ApplicationsTable, audience: string) {
  if (!(await deleteClientGrant(tx, application.id, audience))) throw new AppError("not_found");
  const target = { kind: "application", id: application.id };
  await actIn(application).audit(tx, now, "client.ungranted", target, { audience });
}

/** Returns whether the text is an absolute URI (RFC 8707 section 2) in the characters of RFC 3986. */
export function isAudience(text: string): boolean {
  return text.length <= 255 && /^[a-z][a-z0-9+.-]*:[\x21\x24-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/i.test(text);
}

function requireClient(application: ApplicationsTable): void {
  if (application.type === "m2m") return;
  throw new AppError("conflict", { message: "Only an application of type m2m can have client secrets and grants." });
}

function tooMany(): AppError {
  return new AppError("conflict", { message: "Two secrets are live already. Revoke one first." });
}

function actIn(application: ApplicationsTable) {
  return systemAct(placeOf(application.tenant_id, application.id));
}

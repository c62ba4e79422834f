import { newId } from "../../src/core/ids.ts";
import { findApplication } from "../../src/identity/applications/store.ts";
import {
  createClientSecret,
  grantClient,
  MANAGEMENT,
  revokeClientSecret,
} from "../../src/identity/clients/administration.ts";
import type { TestApp } from "./app.ts";
import type { Answer, Client } from "./client.ts";

export interface Machine {
  id: string;
  secretId: string;
  secret: string;
}

/** Makes an M2M client with one secret and these grants. */
export async function machine(
  app: TestApp,
  options: { tenantId?: string; grants?: Record<string, string[]>; algorithm?: "EdDSA" | "RS256" } = {},
): Promise<Machine> {
  const id = await app.application(
    { name: "Machine", type: "m2m", ...(options.algorithm ? { algorithm: options.algorithm } : {}) },
    options.tenantId,
  );
  for (const [audience, scopes] of Object.entries(options.grants ?? { [MANAGEMENT]: ["users:read"] })) {
    if (audience !== MANAGEMENT) await resource(app, audience, scopes, options.tenantId);
    await grant(app, id, audience, scopes);
  }
  return { id, ...(await addSecret(app, id)) };
}

/** Registers an API unless it is registered. */
async function resource(app: TestApp, audience: string, scopes: string[], tenantId: string = app.tenantId) {
  const now = app.clock.now();
  await app.storage.write(async (tx) => {
    await tx.kysely
      .insertInto("api_resources")
      .values({
        id: newId(now),
        tenant_id: tenantId,
        audience,
        name: audience,
        scopes: JSON.stringify(scopes.map((name) => ({ name, description: null }))),
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  });
}

async function rowOf(app: TestApp, id: string) {
  const row = await findApplication(app.storage.read, id);
  if (!row) throw new Error(`no application ${id}`);
  return row;
}

export async function grant(app: TestApp, id: string, audience: string, scopes: string[]): Promise<void> {
  const row = await rowOf(app, id);
  await app.storage.write((tx) => grantClient(tx, app.clock.now(), row, audience, scopes));
}

export async function addSecret(app: TestApp, id: string): Promise<{ secretId: string; secret: string }> {
  const row = await rowOf(app, id);
  const made = await app.storage.write((tx) => createClientSecret(tx, app.clock.now(), row));
  app.secrets.add(made.secret);
  return { secretId: made.id, secret: made.secret };
}

export async function dropSecret(app: TestApp, id: string, secretId: string): Promise<void> {
  const row = await rowOf(app, id);
  await app.storage.write((tx) => revokeClientSecret(tx, app.clock.now(), row, secretId));
}

/** Returns the Authorization header of RFC 6749 section 2.3.1. */
export function basic(id: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}` };
}

export interface OAuthAnswer extends Answer {
  oauth: {
    error?: string;
    error_description?: string;
    access_token: string;
    scope: string;
    expires_in: number;
    active?: boolean;
    sub?: string;
    sid?: string;
  };
}

/** Sends a form-encoded request to an OAuth endpoint. */
export async function form(
  client: Client,
  path: string,
  fields: Record<string, string> | string[][] | string,
  headers: Record<string, string> = {},
): Promise<OAuthAnswer> {
  const body = typeof fields === "string" ? fields : new URLSearchParams(fields as string[][]).toString();
  const type = { "content-type": "application/x-www-form-urlencoded" };
  const answer = await client.send("POST", path, { body, headers: { ...type, ...headers } });
  return { ...answer, oauth: answer.body as unknown as OAuthAnswer["oauth"] };
}

/** Returns a token of this client. */
export async function tokenOf(app: TestApp, client: Machine, fields: Record<string, string> = {}, tenant = "") {
  const body = { grant_type: "client_credentials", ...fields };
  const answer = await form(app.client(), `${tenant}/oauth2/token`, body, basic(client.id, client.secret));
  if (answer.status !== 200) throw new Error(`no token: ${answer.text}`);
  return answer.oauth.access_token;
}

import { newTotpSecret, toBase32 } from "../../src/features/mfa/totp.ts";
import { TotpFactor } from "../../src/features/mfa/totp-factor.ts";
import type { TestApp, TestUser } from "./app.ts";
import type { Answer, Client } from "./client.ts";
import { totp } from "./totp.ts";

/**
 * Gives a user an authenticator app that was set up long ago.
 * @returns its secret, in base32
 */
export async function giveTotp(app: TestApp, user: Pick<TestUser, "id">): Promise<string> {
  const bytes = newTotpSecret();
  const secret = toBase32(bytes);
  app.secrets.add(secret);
  const now = app.clock.now();
  const row = { last_step: 0, created_at: now, enabled_at: now, last_used_at: null };
  const pending = { pending_secret: null, pending_at: null, pending_for: null };
  const sealed_secret = new TotpFactor(app.identity).seal(user.id, bytes);
  await app.storage.write((tx) =>
    tx.kysely
      .insertInto("totp_factors")
      .values({ user_id: user.id, tenant_id: app.tenantId, sealed_secret, ...pending, ...row })
      .execute(),
  );
  return secret;
}

/** Raises a session as if two factors had been proven. */
export async function raise(app: TestApp, sid: string): Promise<void> {
  await app.storage.write((tx) =>
    tx.kysely.updateTable("sessions").set({ aal: "aal2" }).where("id", "=", sid).execute(),
  );
}

/** Proves the first factor: signs in by password to the test's own application. Returns the answer. */
export function firstFactor(app: TestApp, user: TestUser, client: Client = own(app)): Promise<Answer> {
  return client.post("/v1/auth/login", user.login);
}

/** Returns a caller of the test's own application that is not a page. */
export function own(app: TestApp, headers: Record<string, string> = {}): Client {
  return app.client({ "x-application-id": app.applicationId, ...headers });
}

export const verify = (client: Client, mfa_token: string, code: string, more: object = {}): Promise<Answer> =>
  client.post("/v1/auth/mfa/verify", { mfa_token, method: "totp", code, ...more });

export interface Enrolled {
  user: TestUser;
  secret: string;
  codes: string[];
  /** The tokens of the session that enabled it. */
  tokens: { access_token: string; refresh_token: string | null };
}

/** Makes a user who has set up an authenticator app through the procedures. The current code is still unused. */
export async function enrolled(app: TestApp, user?: TestUser): Promise<Enrolled> {
  const person = user ?? (await app.user());
  const { accessToken } = await app.signIn(person);
  const client = app.client().bearer(accessToken);
  const { body } = await client.post("/v1/auth/mfa/setup");
  const secret = body.secret ?? "";
  const answer = await client.post("/v1/auth/mfa/enable", { code: totp(secret, app.clock.now()) });
  if (answer.status !== 200) throw new Error(`enable: ${answer.status} ${answer.text}`);
  app.clock.advance(30_000);
  return { user: person, secret, codes: answer.body.recovery_codes, tokens: answer.body };
}

/** Marks a user's address as proven, so that notices go there. */
export async function proveAddress(app: TestApp, user: Pick<TestUser, "id">): Promise<void> {
  await app.storage.write((tx) =>
    tx.kysely.updateTable("user_emails").set({ verified_at: 1 }).where("user_id", "=", user.id).execute(),
  );
}

/** Changes the test's own application. */
export async function policy(
  app: TestApp,
  changes: { mfa?: "off" | "optional" | "required"; mfa_grace?: number; mfa_remember?: number },
): Promise<void> {
  const required = changes.mfa === "required" ? { mfa_required_at: app.clock.now() } : {};
  await app.storage.write((tx) =>
    tx.kysely
      .updateTable("applications")
      .set({ ...changes, ...required })
      .where("id", "=", app.applicationId)
      .execute(),
  );
  app.forget();
}

/** Returns the page of the test's own application, with its jar. */
export function ownPage(app: TestApp): Client {
  return app.page(undefined, { "x-application-id": app.applicationId });
}

import { newId } from "../../src/core/ids.ts";
import type { Application } from "../../src/identity/applications/application.ts";
import { insertEmail } from "../../src/identity/users/store.ts";
import type { ApplicationsTable } from "../../src/storage/schema.ts";
import type { TestApp, TestUser } from "./app.ts";
import type { Client } from "./client.ts";
import type { ReceivedMail } from "./mailbox.ts";

/** The proofs in a requested mail: its link, and its code together with the flow of the answer. */
export interface MailedProof {
  flowId: string;
  token: string;
  code: string;
  mail: ReceivedMail;
  /** The session that asked, without which the proof of an address confirms nothing. */
  asker?: Client;
}

type Sent = Promise<{ status: number; text: string; body: { flow_id: string } }>;

/** Returns the content of the mail that a 202 answer announced. */
export async function proofOf(app: TestApp, to: string, sent: Sent): Promise<MailedProof> {
  const { status, text, body } = await sent;
  if (status !== 202) throw new Error(`no mail was announced: ${status} ${text}`);
  const mail = await app.mail(to);
  if (!mail.link || !mail.code) throw new Error(`no link and code in: ${mail.text}`);
  return { flowId: body.flow_id, token: mail.link, code: mail.code, mail };
}

/** Returns a caller of one application, without a credential. */
export function callerOf(app: TestApp, applicationId: string = app.applicationId): Client {
  return app.client({ "x-application-id": applicationId });
}

export async function setApplication(
  app: TestApp,
  id: string,
  changes: Partial<Pick<ApplicationsTable, "sign_up" | "sign_in_methods" | "mfa" | "home_url" | "type">>,
): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("applications").set(changes).where("id", "=", id).execute();
  });
  app.forget();
}

export const NEW_PASSWORD = "granite-lantern-moth-88";

/** Starts a sign-up that waits for its proof, in an application that requires one. */
export async function signUp(
  app: TestApp,
  email = `new-${crypto.randomUUID()}@example.com`,
  applicationId = app.applicationId,
) {
  await setApplication(app, applicationId, { sign_up: "verified" });
  app.secrets.add(NEW_PASSWORD);
  const body = { email, password: NEW_PASSWORD };
  return proofOf(app, email, callerOf(app, applicationId).post("/v1/auth/register", body));
}

export function forgot(app: TestApp, email: string, applicationId = app.applicationId) {
  return proofOf(app, email, callerOf(app, applicationId).post("/v1/auth/password/forgot", { email }));
}

/** Makes a session with all factors of the user. */
export async function session(app: TestApp, user: Pick<TestUser, "id">, applicationId = app.applicationId) {
  const { accessToken } = await app.signIn(user, applicationId, "aal2");
  return callerOf(app, applicationId).bearer(accessToken);
}

export async function add(app: TestApp, client: Client, email = `more-${crypto.randomUUID()}@example.com`) {
  return { ...(await proofOf(app, email, client.post("/v1/me/emails", { email }))), asker: client };
}

/**
 * Adds an address to a user.
 * @returns its id
 */
export async function giveEmail(
  app: TestApp,
  user: Pick<TestUser, "id">,
  address = `more-${crypto.randomUUID()}@example.com`,
  isVerified = true,
): Promise<string> {
  const now = app.clock.now();
  const id = newId(now);
  const row = { id, tenantId: app.tenantId, userId: user.id, address, canonical: address.toLowerCase(), now };
  await app.storage.write((tx) => insertEmail(tx, { ...row, isPrimary: false, isVerified }));
  return id;
}

/** Marks every address of a user as unproven, as in an account from before factors needed a proven address. */
export async function unprove(app: TestApp, user: Pick<TestUser, "id">): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("user_emails").set({ verified_at: null }).where("user_id", "=", user.id).execute();
  });
}

/** Marks the primary address as proven. */
export async function verifyPrimary(app: TestApp, user: Pick<TestUser, "id">): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely
      .updateTable("user_emails")
      .set((eb) => ({ verified_at: eb.ref("created_at") }))
      .where("user_id", "=", user.id)
      .where("is_primary", "=", 1)
      .execute();
  });
}

export async function emailsOf(app: TestApp, user: Pick<TestUser, "id">): Promise<string[]> {
  const rows = await app.storage.read.kysely
    .selectFrom("user_emails")
    .selectAll()
    .where("user_id", "=", user.id)
    .orderBy("is_primary", "desc")
    .orderBy("id")
    .execute();
  return rows.map((row) => `${row.address}${row.is_primary ? "*" : ""}${row.verified_at === null ? "?" : ""}`);
}

/**
 * Replaces a user's proven address with another one.
 * @returns the token of the undo link
 */
export async function changeAddress(
  app: TestApp,
  user: TestUser,
  to = `other-${crypto.randomUUID()}@example.com`,
  applicationId = app.applicationId,
): Promise<string> {
  const id = await giveEmail(app, user, to);
  const client = await session(app, user, applicationId);
  const { status, text } = await client.post(`/v1/me/emails/${id}/primary`);
  if (status !== 200) throw new Error(`the address was not changed: ${text}`);
  const link = (await app.mails(user.email)).find((mail) => mail.link !== null)?.link;
  if (!link) throw new Error("no undo link");
  await app.mails(to);
  return link;
}

/** Makes a person who deletes the account at once. @returns the link in the mail about the deletion */
export async function deletedAccount(app: TestApp, applicationId: string): Promise<string> {
  const user = await app.user();
  await verifyPrimary(app, user);
  const act = (await app.act({ applicationId })).by({ kind: "user", id: user.id });
  await app.storage.write((tx) => app.identity.accounts.delete(tx, act, user.id));
  return (await app.mail(user.email)).link ?? "";
}

/** Removes every credential of a user, as if an anonymous sign-in had made the user. */
export async function makeAnonymous(app: TestApp, user: Pick<TestUser, "id">): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("users").set({ is_anonymous: 1 }).where("id", "=", user.id).execute();
    await tx.kysely.deleteFrom("user_emails").where("user_id", "=", user.id).execute();
    await tx.kysely.deleteFrom("password_credentials").where("user_id", "=", user.id).execute();
  });
}

export async function deletePassword(app: TestApp, user: Pick<TestUser, "id">): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.deleteFrom("password_credentials").where("user_id", "=", user.id).execute();
  });
}

/** Returns the directory's application, for calls of identity functions. */
export async function applicationOf(app: TestApp, id: string = app.applicationId): Promise<Application> {
  const application = await app.identity.directory.application(id);
  if (!application) throw new Error(`no application ${id}`);
  return application;
}

import type { ProofKind } from "../../src/identity/email-proofs/proofs.ts";
import type { TestApp, TestUser } from "./app.ts";
import type { Answer, Client } from "./client.ts";
import type { ReceivedMail } from "./mailbox.ts";

export const MAIL_METHODS = ["magic_link", "email_code"] as const;
const MINUTE = 60_000;

/** Sets the sign-in methods of every application to these, and allows both methods by mail if none are given. */
export async function allowMail(app: TestApp, methods: readonly string[] = ["password", ...MAIL_METHODS]) {
  await app.storage.write(async (tx) => {
    await tx.kysely
      .updateTable("applications")
      .set({ sign_in_methods: JSON.stringify(methods) })
      .execute();
  });
  app.forget();
}

/** Requests a mail and reads it. */
export async function askForMail(app: TestApp, email: string, method = "magic_link", client: Client = app.client()) {
  const answer = await client.post("/v1/auth/email/start", { email, method });
  const mail = answer.status === 202 ? ((await app.mails(email)).at(-1) ?? null) : null;
  return { answer, flowId: answer.body.flow_id, mail };
}

/**
 * Requests a mail to a known user.
 * @throws Error if no mail comes
 */
export async function mailTo(
  app: TestApp,
  email: string,
  method = "magic_link",
  client?: Client,
): Promise<{ flowId: string; link: string; code: string; mail: ReceivedMail }> {
  const { answer, flowId, mail } = await askForMail(app, email, method, client);
  if (!mail?.code) throw new Error(`${answer.status}: no mail with a code came to ${email}: ${answer.text}`);
  return { flowId, link: mail.link ?? "", code: mail.code, mail };
}

/** Requests a link to a known user. Returns the proof of a client without cookies. */
export async function proofFor(app: TestApp, email: string): Promise<{ token: string; flow_id: string }> {
  const { link, flowId } = await mailTo(app, email);
  return { token: link, flow_id: flowId };
}

export const completeBy = (client: Client, proof: object): Promise<Answer> =>
  client.post("/v1/auth/email/complete", proof);

/** Makes a link of any kind as `auth.email.start` does, without a mail. */
export async function mailedLink(
  app: TestApp,
  user: TestUser | null,
  applicationId: string = app.defaultApplicationId,
  kind: ProofKind = "sign_in",
): Promise<{ token: string; flow_id: string }> {
  const application = await app.identity.directory.application(applicationId);
  if (!application) throw new Error(`no application ${applicationId}`);
  const methods = application.signInMethods.has("magic_link");
  if (!methods) await allowMail(app);
  const email = user && (await emailIdOf(app, user.id));
  const { flowId, token, code } = await app.storage.write((tx) =>
    app.identity.emailProofs.start(tx, {
      kind,
      tenantId: application.tenant.id,
      applicationId,
      userId: user?.id ?? null,
      state: { method: "magic_link", emailId: email, email: user?.email ?? null },
      lifetime: 10 * MINUTE,
    }),
  );
  app.secrets.add(token).add(code);
  return { token, flow_id: flowId };
}

async function emailIdOf(app: TestApp, userId: string): Promise<string | null> {
  const row = await app.storage.read.kysely
    .selectFrom("user_emails")
    .select("id")
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return row?.id ?? null;
}

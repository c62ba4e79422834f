import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { Answer } from "../../support/client.ts";
import { allowMail, MAIL_METHODS } from "../../support/mailed-links.ts";
import { scenarios } from "../../support/scenarios.ts";

/** Records what one call shows and costs: everything that could tell one account from another. */
async function shows(app: TestApp, call: () => Promise<Answer>) {
  const { reads, writes, statementsInWrites } = app.storage;
  const mails = await app.mailsWritten();
  const answer = await call();
  const { error, flow_id: flowId, ...body } = answer.body;
  return {
    flowId,
    seen: {
      status: answer.status,
      code: error?.code,
      message: error?.message,
      body: error ? null : body,
      headers: [...answer.headers.keys()].sort(),
      length: error ? error.message.length : answer.text.length,
      cookies: answer.cookies.length,
      reads: app.storage.reads - reads,
      writes: app.storage.writes - writes,
      statementsInWrites: app.storage.statementsInWrites - statementsInWrites,
      mails: (await app.mailsWritten()) - mails,
    },
  };
}

scenarios("asking for a mail does not tell who has an account", (t) => {
  for (const method of MAIL_METHODS) {
    t.test(
      `${method}: known, unknown, disabled, deleted and unproven addresses give one answer and one amount of work (ASVS 6.3.8)`,
      async (app) => {
        await allowMail(app);
        const known = await app.user("known@example.com");
        const disabled = await app.user("disabled@example.com");
        await app.disable("users", disabled.id);
        const deleted = await app.user("deleted@example.com");
        await app.client().bearer(app.secretKey).delete(`/v1/users/${deleted.id}`);
        await app.mails();
        const entombed = await app.user("entombed@example.com");
        const unproven = await app.unproven("unproven@example.com");
        await app.storage.write(async (tx) => {
          await tx.kysely.updateTable("users").set({ deleted_at: 1 }).where("id", "=", entombed.id).execute();
          const other = { id: crypto.randomUUID(), canonical: "proven@example.com", address: "proven@example.com" };
          const row = {
            tenant_id: app.tenantId,
            user_id: unproven.id,
            is_primary: 0,
            verified_at: 1,
            created_at: 1,
          } as const;
          await tx.kysely
            .insertInto("user_emails")
            .values({ ...row, ...other })
            .execute();
        });
        const start = (email: string) => shows(app, () => app.client().post("/v1/auth/email/start", { email, method }));
        const guess = (flowId: string) =>
          shows(app, () => app.client().post("/v1/auth/email/complete", { flow_id: flowId, code: "wrong" }));
        // The first refusal of a minute writes to the audit log, with one statement more.
        await guess((await start("first@example.com")).flowId);
        const expected = await start(known.email);
        const cookies = method === "magic_link" ? 1 : 0;
        expect(expected.seen).toMatchObject({ status: 202, cookies, writes: 2, mails: 1 });
        const refused = await guess(expected.flowId);
        expect(refused.seen).toMatchObject({ status: 401, code: "invalid_code", cookies: 0, mails: 0 });
        for (const email of [
          disabled.email,
          deleted.email,
          entombed.email,
          unproven.email,
          "nobody@example.com",
          "KNOWN@example.com",
        ]) {
          const one = await start(email);
          expect([email, one.seen]).toEqual([email, expected.seen]);
          expect([email, (await guess(one.flowId)).seen]).toEqual([email, refused.seen]);
        }
        // Every outbox row except those of the known address has no recipient.
        const rows = await app.storage.read.kysely.selectFrom("outbox_mails").select(["is_void", "user_id"]).execute();
        expect(rows.filter(({ is_void, user_id }) => is_void === 0 && user_id !== null)).toEqual(
          Array.from({ length: 2 }, () => ({ is_void: 0 as const, user_id: known.id })),
        );
        expect((await app.mails()).map(({ to }) => to)).toEqual([known.email, known.email]);
      },
    );
  }

  t.test("keeps no address of a stranger", async (app) => {
    await allowMail(app);
    await app.client().post("/v1/auth/email/start", { email: "stranger@example.com", method: "magic_link" });
    await app.mails();
    const flows = await app.storage.read.kysely.selectFrom("flows").select(["state", "user_id"]).execute();
    expect(flows).toHaveLength(1);
    expect(JSON.stringify(flows)).not.toContain("stranger");
    const mails = await app.storage.read.kysely.selectFrom("outbox_mails").select("sealed").execute();
    expect(mails).toEqual([{ sealed: null }]);
  });
});

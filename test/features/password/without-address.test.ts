import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { callerOf, setApplication } from "../../support/mail-proofs.ts";
import { anonymousUser } from "../../support/own-affairs.ts";
import { addPasskey, caller, holder, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";

const PASSWORD = "granite-lantern-moth-88";

const passwords = (app: TestApp) => app.storage.read.kysely.selectFrom("password_credentials").selectAll().execute();

/** Takes the addresses away, as their proven owner does with addresses that somebody else never proved. */
const dropAddresses = (app: TestApp, userId: string) =>
  app.storage.write(async (tx) => {
    await tx.kysely.deleteFrom("user_emails").where("user_id", "=", userId).execute();
  });

scenarios("a password without an address", (t) => {
  t.test("cannot be set: a person who came by passkey is told to add an address first", async (app) => {
    await setApplication(app, app.applicationId, { sign_in_methods: '["password","passkey","anonymous"]' });
    const { body } = await anonymousUser(app);
    const key = newAuthenticator();
    await addPasskey(callerOf(app).bearer(body.access_token), key);
    const { body: tokens } = await signInWith(caller(app), key);
    const client = app.client().bearer(tokens.access_token);
    const refused = await client.post("/v1/me/password", { new_password: PASSWORD });
    expect([refused.status, refused.code]).toEqual([403, "forbidden"]);
    expect(refused.body.error.message).toContain("Add an address first");
    expect(await passwords(app)).toEqual([]);
  });

  t.test("is not a way in: the passkey beside it stays, until there is an address", async (app) => {
    const { user, passkey, authenticator } = await holder(app);
    const client = app.client().bearer((await signInWith(caller(app), authenticator)).body.access_token);
    const rows = await app.storage.read.kysely.selectFrom("user_emails").selectAll().execute();
    await dropAddresses(app, user.id);
    expect(await passwords(app)).toHaveLength(1);
    const refused = await client.delete(`/v1/me/passkeys/${passkey.id}`);
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    expect(refused.body.error.message).toContain("last way to sign in");
    expect((await signInWith(caller(app), authenticator)).status).toBe(200);
    await app.storage.write((tx) => tx.kysely.insertInto("user_emails").values(rows).execute());
    expect((await client.delete(`/v1/me/passkeys/${passkey.id}`)).status).toBe(200);
  });

  t.test("is never left: the only address stays, whether or not it is the primary one", async (app) => {
    const { authenticator } = await holder(app);
    const client = app.client().bearer((await signInWith(caller(app), authenticator)).body.access_token);
    const { body } = await client.get("/v1/me/emails");
    const [address] = body.data;
    const remove = () => client.delete(`/v1/me/emails/${address?.id}`);
    expect((await remove()).code).toBe("conflict");
    await app.storage.write((tx) => tx.kysely.updateTable("user_emails").set({ is_primary: 0 }).execute());
    const refused = await remove();
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    expect(refused.body.error.message).toContain("your only address");
  });
});

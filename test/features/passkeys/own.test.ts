import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { TestApp } from "../../support/app.ts";
import { unprove } from "../../support/mail-proofs.ts";
import { allowMail, completeBy, proofFor } from "../../support/mailed-links.ts";
import { addPasskey, caller, type Holder, holder, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";

/** Signs in with the passkey: the session is fresh and has two factors. */
const proven = async (app: TestApp, { client, authenticator }: Pick<Holder, "client" | "authenticator">) =>
  client.bearer((await signInWith(caller(app), authenticator)).body.access_token);
const without = (app: TestApp, userId: string, table: "password_credentials" | "user_emails") =>
  app.storage.write(async (tx) => {
    await tx.kysely.deleteFrom(table).where("user_id", "=", userId).execute();
  });
const verify = (app: TestApp, userId: string) =>
  app.storage.write(async (tx) => {
    await tx.kysely.updateTable("user_emails").set({ verified_at: 1 }).where("user_id", "=", userId).execute();
  });
const namesOf = (body: { data: unknown }) => (body.data as { name: string }[]).map(({ name }) => name);

scenarios("a person's own passkeys", (t) => {
  t.test("are listed in pages, oldest first, without other people's", async (app) => {
    const owner = await holder(app);
    await holder(app);
    const client = await proven(app, owner);
    const ids = [owner.passkey.id];
    for (let i = 0; i < 3; i++) ids.push((await addPasskey(client, newAuthenticator())).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await client.get(`/v1/me/passkeys?limit=3${cursor === null ? "" : `&cursor=${cursor}`}`);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    expect((await client.get("/v1/me/passkeys?cursor=nonsense")).code).toBe("invalid_input");
    const { text } = await client.get("/v1/me/passkeys");
    for (const kept of ["credential", "public_key", "counter", "aaguid"]) expect(text).not.toContain(kept);
  });

  t.test("are renamed by either form of the id, and the audit log records it", async (app) => {
    const { client, passkey } = await holder(app);
    const renamed = await client.patch(`/v1/me/passkeys/${toPrefixedId("passkey", passkey.id)}`, { name: " Grün " });
    expect([renamed.status, renamed.body as unknown]).toEqual([200, { ...passkey, name: "Grün" }]);
    expect(namesOf((await client.get("/v1/me/passkeys")).body)).toEqual(["Grün"]);
    expect(await app.audit()).toContain("passkey.renamed");
    for (const name of [undefined, null, "", "\u0007", "x".repeat(101), ["a"]]) {
      expect((await client.patch(`/v1/me/passkeys/${passkey.id}`, { name })).code).toBe("invalid_input");
    }
    for (const extra of [{ counter: 0 }, { rp_id: "evil.example" }, { user_id: passkey.id }, { id: passkey.id }]) {
      const answer = await client.patch(`/v1/me/passkeys/${passkey.id}`, { name: "x", ...extra });
      expect([extra, answer.code]).toEqual([extra, "invalid_input"]);
    }
  });

  t.test(
    "of other users, other tenants and unknown ids are the same 404, and stay (ASVS 8.2.2, 8.4.1)",
    async (app) => {
      const owner = await holder(app);
      const client = await proven(app, await holder(app));
      const acme = await app.tenant("acme");
      const foreign = await app.signIn(await app.user(undefined, acme.id), acme.applicationId);
      const before = await app.state();
      for (const caller of [client, app.client().bearer(foreign.accessToken)]) {
        for (const id of [owner.passkey.id, "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f"]) {
          expect((await caller.patch(`/v1/me/passkeys/${id}`, { name: "mine" })).code).toBe("not_found");
          expect((await caller.delete(`/v1/me/passkeys/${id}`)).code).toBe("not_found");
        }
      }
      expect(await app.state()).toBe(before);
    },
  );

  t.test(
    "a removal ends the other sessions everywhere and MFA flows, and sends a notice (ASVS 7.4.3, 6.3.7, 6.5.6)",
    async (app) => {
      const owner = await holder(app);
      await verify(app, owner.user.id);
      const client = await proven(app, owner);
      const twin = await app.application({ origins: ["https://app.example.com"] });
      const pending = await app.client().post("/v1/auth/login", owner.user.login);
      expect(pending.body.status).toBe("mfa_required");
      const elsewhere = await signInWith(app.client({ "x-application-id": twin }), owner.authenticator);
      expect(elsewhere.status).toBe(200);
      await app.mails();
      const { status } = await client.delete(`/v1/me/passkeys/${owner.passkey.id}`);
      expect(status).toBe(200);
      expect((await client.get("/v1/auth/session")).status).toBe(200);
      for (const ended of [owner.client, client.bearer(elsewhere.body.access_token)]) {
        expect((await ended.get("/v1/auth/session")).code).toBe("token_revoked");
      }
      const spent = { mfa_token: pending.body.mfa_token, method: "passkey", flow_id: "x", response: {} };
      expect((await app.client().post("/v1/auth/mfa/verify", spent)).code).toBe("invalid_code");
      expect(await app.audit()).toContain("passkey.removed");
      const mail = await app.mail(owner.user.email);
      expect(mail.text).toContain("removed from your account at My application: passkey.\n");
      expect((await signInWith(caller(app), owner.authenticator)).code).toBe("invalid_code");
      expect((await app.client().post("/v1/auth/login", owner.user.login)).body.status).toBe("success");
    },
  );

  t.test("need a fresh session with a second factor for a removal", async (app) => {
    const { client, passkey } = await holder(app);
    expect((await client.delete(`/v1/me/passkeys/${passkey.id}`)).code).toBe("insufficient_user_authentication");
    expect(namesOf((await client.get("/v1/me/passkeys")).body)).toHaveLength(1);
  });

  t.test("the last way to sign in stays, whatever the address would allow elsewhere", async (app) => {
    const owner = await holder(app);
    const client = await proven(app, owner);
    await unprove(app, owner.user);
    const remove = () => client.delete(`/v1/me/passkeys/${owner.passkey.id}`);
    const setMethods = async (methods: string[]) => {
      await app.storage.write(async (tx) => {
        const changes = { sign_in_methods: JSON.stringify(methods) };
        await tx.kysely.updateTable("applications").set(changes).where("id", "=", app.applicationId).execute();
      });
      app.forget();
    };
    await setMethods(["passkey", "magic_link"]);
    // There is a password, but this application takes none; there is an address, but it is unproven.
    const refused = await remove();
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    expect(refused.body.error.message).toContain("last way to sign in");
    await setMethods(["passkey", "password"]);
    await without(app, owner.user.id, "password_credentials");
    await verify(app, owner.user.id);
    expect((await remove()).code).toBe("conflict");
    await setMethods(["passkey", "email_code"]);
    expect((await remove()).status).toBe(200);
    expect(namesOf((await client.get("/v1/me/passkeys")).body)).toEqual([]);
  });

  t.test("of two removed at once, one stays", async (app) => {
    const owner = await holder(app);
    await without(app, owner.user.id, "password_credentials");
    const client = await proven(app, owner);
    const second = await addPasskey(client, newAuthenticator());
    const other = await proven(app, owner);
    const answers = await Promise.all([
      client.delete(`/v1/me/passkeys/${owner.passkey.id}`),
      other.delete(`/v1/me/passkeys/${second.id}`),
    ]);
    // The second request finds its session ended, or its passkey to be the last.
    expect(answers.map(({ status }) => status === 200).sort()).toEqual([false, true]);
    const rows = await app.storage.read.kysely.selectFrom("passkeys").select("id").execute();
    expect(rows).toHaveLength(1);
  });

  t.test("the last one stays where a second factor is required", async (app) => {
    const id = await app.application({ mfa: "required", origins: ["https://app.example.com"] });
    const { authenticator, passkey } = await holder(app);
    const { body } = await signInWith(app.client({ "x-application-id": id }), authenticator);
    const client = app.client().bearer(body.access_token);
    const refused = await client.delete(`/v1/me/passkeys/${passkey.id}`);
    expect([refused.status, refused.code]).toEqual([403, "forbidden"]);
    await addPasskey(client, newAuthenticator());
    expect((await client.delete(`/v1/me/passkeys/${passkey.id}`)).status).toBe(200);
  });

  t.test("are deleted with everything from before the address was proven (pre-hijacking)", async (app) => {
    const { user, authenticator } = await holder(app);
    await unprove(app, user);
    await allowMail(app, ["passkey", "magic_link"]);
    expect((await completeBy(app.client(), await proofFor(app, user.email))).status).toBe(200);
    expect((await signInWith(caller(app), authenticator)).code).toBe("invalid_code");
    expect(await app.storage.read.kysely.selectFrom("passkeys").select("id").execute()).toEqual([]);
  });
});

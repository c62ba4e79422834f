import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import {
  add,
  callerOf,
  deletePassword,
  emailsOf,
  forgot,
  giveEmail,
  NEW_PASSWORD,
  proofOf,
  session,
  verifyPrimary,
} from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { giveTotp } from "../../support/second-factors.ts";
import { PASSWORD } from "../../support/template.ts";
import { totp } from "../../support/totp.ts";

const verify = (client: Client, proof: Record<string, unknown>) => client.post("/v1/auth/email/verify", proof);

async function person(app: TestApp, email?: string): Promise<TestUser> {
  const user = await app.user(email);
  await verifyPrimary(app, user);
  return user;
}

const told = async (app: TestApp, to: string) => (await app.mails(to)).map(({ template }) => template);

scenarios("/v1/me/emails", (t) => {
  t.test("adds an address once it is proven, and tells the account's own address (ASVS 6.3.7)", async (app) => {
    const user = await person(app, "ada@example.com");
    const client = await session(app, user);
    const { flowId, code, mail } = await add(app, client, "Ada@work.example");
    expect(mail.template).toBe("verify_email");
    expect(await emailsOf(app, user)).toEqual(["ada@example.com*"]);
    expect((await forgot(app, "ada@example.com")).mail.to).toBe("ada@example.com");
    const done = await verify(client, { flow_id: flowId, code });
    expect([done.status, done.body as unknown]).toEqual([200, { status: "success", email: "Ada@work.example" }]);
    expect(await emailsOf(app, user)).toEqual(["ada@example.com*", "Ada@work.example"]);
    expect(await told(app, "ada@example.com")).toContain("email_added");
    // Both addresses sign in, and both lead to a new password.
    for (const email of ["ada@example.com", "ADA@work.example"]) {
      expect((await callerOf(app).post("/v1/auth/login", { email, password: PASSWORD })).status).toBe(200);
    }
    expect((await forgot(app, "Ada@work.example")).mail.to).toBe("Ada@work.example");
  });

  t.test("lists the caller's own addresses in pages, and no other", async (app) => {
    const user = await person(app);
    for (let i = 0; i < 4; i++) {
      app.clock.advance(1);
      await giveEmail(app, user, `more${i}@example.com`);
    }
    const other = await person(app);
    const client = await session(app, user);
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await client.get(`/v1/me/emails?limit=2${cursor}`);
      seen.push(...body.data.map(({ email }) => email ?? ""));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual([user.email, ...[0, 1, 2, 3].map((i) => `more${i}@example.com`)]);
    expect((await client.get("/v1/me/emails?cursor=nonsense")).code).toBe("invalid_input");
    const theirs = await giveEmail(app, other);
    const before = await app.state();
    for (const [method, path] of [
      ["POST", `/v1/me/emails/${theirs}/verify`],
      ["POST", `/v1/me/emails/${theirs}/primary`],
      ["DELETE", `/v1/me/emails/${theirs}`],
    ] as const) {
      const refused = await client.send(method, path, method === "POST" ? { json: {} } : {});
      expect([path, refused.status]).toEqual([path, 404]);
    }
    expect(await app.state()).toBe(before);
  });

  t.test("asks for a fresh session before a change that affects sign-in (ASVS 7.5.1)", async (app) => {
    const user = await person(app);
    const id = await giveEmail(app, user);
    const client = await session(app, user);
    app.clock.advance(601_000);
    const before = await app.state();
    for (const [method, path, json] of [
      ["POST", "/v1/me/emails", { email: "new@example.com" }],
      ["POST", `/v1/me/emails/${id}/primary`, {}],
      ["DELETE", `/v1/me/emails/${id}`, undefined],
    ] as const) {
      const refused = await client.send(method, path, json ? { json } : {});
      expect([path, refused.code]).toEqual([path, "insufficient_user_authentication"]);
    }
    expect(await app.state()).toBe(before);
    expect((await client.get("/v1/me/emails")).status).toBe(200);
  });

  t.test("does not add the caller's own address again, or take a stranger's", async (app) => {
    const user = await person(app);
    const other = await person(app, "other@example.com");
    const client = await session(app, user);
    expect((await client.post("/v1/me/emails", { email: user.email.toUpperCase() })).code).toBe("conflict");
    const sent = await client.post("/v1/me/emails", { email: "Other@Example.com" });
    const mail = await app.mail("other@example.com");
    expect([mail.template, mail.link, mail.code]).toEqual(["email_known", null, null]);
    expect((await verify(client, { flow_id: sent.body.flow_id, code: "0000 000" })).code).toBe("invalid_code");
    expect([await emailsOf(app, user), await emailsOf(app, other)]).toEqual([
      [`${user.email}*`],
      ["other@example.com*"],
    ]);
  });

  t.test("ends a session's unfinished proofs with the session, signed out here or elsewhere", async (app) => {
    const user = await person(app);
    const owner = await session(app, user);
    for (const [index, end] of [
      () => owner.delete("/v1/auth/sessions"),
      async (thief: typeof owner) => thief.post("/v1/auth/logout"),
    ].entries()) {
      const thief = await session(app, user);
      const { token } = await add(app, thief, `thief${index}@evil.example`);
      expect((await end(thief)).status).toBe(200);
      const before = await app.state();
      for (const caller of [thief, callerOf(app)]) {
        expect([index, (await verify(caller, { token })).code]).toEqual([index, "asking_session_required"]);
      }
      expect(await app.state()).toBe(before);
    }
    expect(await emailsOf(app, user)).toEqual([`${user.email}*`]);
  });

  t.test("a link works after a step-up, a new sign-in and a sign-out, in any session of its account", async (app) => {
    const user = await person(app);
    const secret = await giveTotp(app, user);
    const caller = callerOf(app);
    const stepUp = async (asker: Client) => {
      const answer = await asker.post("/v1/auth/mfa/verify", { method: "totp", code: totp(secret, app.clock.now()) });
      expect((await asker.get("/v1/auth/session")).code).toBe("token_revoked");
      return caller.bearer(answer.body.access_token);
    };
    const signOut = async (asker: Client) => {
      expect((await asker.post("/v1/auth/logout")).status).toBe(200);
      return session(app, user);
    };
    for (const [index, next] of [stepUp, () => session(app, user), signOut].entries()) {
      const asker = await session(app, user);
      const { token } = await add(app, asker, `more${index}@example.com`);
      const later = await next(asker);
      // Without a session the link confirms nothing, and is not spent.
      expect([index, (await verify(caller, { token })).code]).toEqual([index, "asking_session_required"]);
      expect([index, (await verify(later, { token })).status]).toEqual([index, 200]);
    }
    expect(await emailsOf(app, user)).toHaveLength(4);
  });

  t.test("the link of a session that the owner has ended confirms nothing in the owner's session", async (app) => {
    const user = await person(app);
    const [owner, thief] = [await session(app, user), await session(app, user)];
    const { token } = await add(app, thief, "thief@evil.example");
    expect((await owner.delete("/v1/auth/sessions")).status).toBe(200);
    expect((await verify(owner, { token })).code).toBe("invalid_code");
    expect(await emailsOf(app, user)).toEqual([`${user.email}*`]);
  });

  t.test("two people prove one address at once: one gets it, and the other learns why not", async (app) => {
    const [one, two] = [await person(app), await person(app)];
    const email = "shared@example.com";
    const proofs = [await add(app, await session(app, one), email), await add(app, await session(app, two), email)];
    const answers = await Promise.all(proofs.map(({ asker, token }) => verify(asker, { token })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const lists = [await emailsOf(app, one), await emailsOf(app, two)].flat();
    expect(lists.filter((address) => address === email)).toHaveLength(1);
    // The loser's link is not spent: it works once the address is free.
    expect(answers.find(({ status }) => status === 409)?.body.error.details).toEqual([
      { path: "email", reason: "is taken" },
    ]);
  });

  t.test("does not take an address from a person who signs up with it meanwhile", async (app) => {
    const user = await person(app);
    const { asker, token } = await add(app, await session(app, user), "ada@example.com");
    const owner = await app.user("ada@example.com");
    const before = await app.state();
    expect((await verify(asker, { token })).code).toBe("conflict");
    expect(await app.state()).toBe(before);
    expect((await callerOf(app).post("/v1/auth/login", owner.login)).status).toBe(200);
  });

  t.test("proving the account's own address deletes nothing, because the account itself asked", async (app) => {
    const user = await app.unproven();
    const client = await session(app, user);
    const { body } = await client.get("/v1/me/emails");
    const sent = client.post(`/v1/me/emails/${body.data[0]?.id}/verify`);
    const proof = await proofOf(app, user.email, sent);
    expect((await verify(client, { token: proof.token })).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${user.email}*`]);
    expect((await client.get("/v1/auth/session")).body.user).toMatchObject({ email_verified: true });
    expect((await callerOf(app).post("/v1/auth/login", user.login)).status).toBe(200);
    expect((await client.post(`/v1/me/emails/${body.data[0]?.id}/verify`)).code).toBe("conflict");
    expect(await app.audit()).not.toContain("user.unproven_credentials_revoked");
  });

  t.test(
    "limits the mails to an address to a few an hour for all callers together (ASVS 6.3.1)",
    async (app) => {
      const email = "victim@example.com";
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) {
        const client = await session(app, await person(app));
        statuses.push((await client.post("/v1/me/emails", { email })).status);
      }
      statuses.push((await callerOf(app).post("/v1/auth/password/forgot", { email: "VICTIM@example.com" })).status);
      // The third is the spare one of the network. A reset has a count of its own.
      expect(statuses).toEqual([202, 202, 202, 429, 202]);
      expect(await app.mails(email)).toHaveLength(3);
      app.clock.advance(1_800_000);
      expect((await callerOf(app).post("/v1/auth/password/forgot", { email })).status).toBe(202);
      const others: number[] = [];
      for (let i = 0; i < 4; i++) {
        others.push((await callerOf(app).post("/v1/auth/password/forgot", { email: `p${i}@example.com` })).status);
      }
      expect(others).toEqual([202, 202, 202, 429]);
    },
    { settings: { limit_mail_account: "2/1h", limit_mail_network: "4/30m" } },
  );
});

scenarios("the primary address", (t) => {
  t.test("changes to a proven address; both get a mail, and the old one may undo it (ASVS 6.3.7)", async (app) => {
    const user = await person(app, "old@example.com");
    const id = await giveEmail(app, user, "new@example.com");
    const client = await session(app, user);
    const done = await client.post(`/v1/me/emails/${id}/primary`);
    expect([done.status, done.body as unknown]).toMatchObject([200, { email: "new@example.com", is_primary: true }]);
    expect(await emailsOf(app, user)).toEqual(["new@example.com*", "old@example.com"]);
    const old = await app.mail("old@example.com");
    expect(old.template).toBe("email_changed");
    expect(old.text).toContain("new@example.com instead of old@example.com");
    expect(old.text).toContain(`${app.publicUrl}/link#${old.link}`);
    expect(await told(app, "new@example.com")).toEqual(["email_added"]);
    expect((await client.get("/v1/auth/session")).body.user.email).toBe("new@example.com");
    // A repeated change has no effect and sends no mail.
    expect((await client.post(`/v1/me/emails/${id}/primary`)).status).toBe(200);
    expect(await app.mails()).toEqual([]);
  });

  t.test("is never set to an unproven address, and a replaced unproven one is deleted", async (app) => {
    const user = await app.unproven("stranger@example.com");
    const client = await session(app, user);
    const unproven = await giveEmail(app, user, "later@example.com", false);
    expect((await client.post(`/v1/me/emails/${unproven}/primary`)).code).toBe("conflict");
    const mine = await giveEmail(app, user, "mine@example.com");
    expect((await client.post(`/v1/me/emails/${mine}/primary`)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual(["mine@example.com*", "later@example.com?"]);
    // A mistyped address is a stranger's: the stranger gets no mail and no undo, and finds the address free.
    expect(await app.mails("stranger@example.com")).toEqual([]);
    const body = { email: "stranger@example.com", password: NEW_PASSWORD };
    expect((await callerOf(app).post("/v1/auth/register", body)).status).toBe(201);
  });

  t.test("leads to a new password by no unproven address except the account's own", async (app) => {
    const user = await person(app);
    await giveEmail(app, user, "unproven@example.com", false);
    const sent = await callerOf(app).post("/v1/auth/password/forgot", { email: "unproven@example.com" });
    expect([sent.status, await app.mails()]).toEqual([202, []]);
  });

  t.test("is not removed; another address is, and both get a mail (ASVS 6.3.7)", async (app) => {
    const user = await person(app);
    const id = await giveEmail(app, user, "second@example.com");
    const client = await session(app, user);
    const { body } = await client.get("/v1/me/emails");
    expect((await client.delete(`/v1/me/emails/${body.data[0]?.id}`)).code).toBe("conflict");
    expect((await client.delete(`/v1/me/emails/${id}`)).status).toBe(200);
    expect((await client.delete(`/v1/me/emails/${id}`)).status).toBe(404);
    expect(await emailsOf(app, user)).toEqual([`${user.email}*`]);
    expect(await told(app, user.email)).toEqual(["email_removed"]);
    expect(await told(app, "second@example.com")).toEqual(["email_removed"]);
    const login = { email: "second@example.com", password: PASSWORD };
    expect((await callerOf(app).post("/v1/auth/login", login)).status).toBe(401);
  });

  t.test(
    "stays unique when several addresses are made primary and removed at once",
    async (app) => {
      const user = await person(app);
      const ids: string[] = [];
      for (let i = 0; i < 6; i++) ids.push(await giveEmail(app, user, `m${i}@example.com`));
      const client = await session(app, user);
      const answers = await Promise.all(
        ids.flatMap((id) => [client.post(`/v1/me/emails/${id}/primary`), client.delete(`/v1/me/emails/${id}`)]),
      );
      for (const { status } of answers) expect([200, 404, 409]).toContain(status);
      const list = await emailsOf(app, user);
      expect(list.filter((address) => address.includes("*"))).toHaveLength(1);
    },
    { settings: { limit_mail_account: "100/1h" } },
  );

  t.test("sends no address notices in a tenant that has switched them off", async (app) => {
    await app.storage.write(async (tx) => {
      await tx.kysely
        .updateTable("tenants")
        .set({ notices_off: '["address"]' })
        .where("id", "=", app.tenantId)
        .execute();
    });
    app.forget();
    const user = await person(app);
    const id = await giveEmail(app, user);
    const client = await session(app, user);
    expect((await client.post(`/v1/me/emails/${id}/primary`)).status).toBe(200);
    expect(await app.mails()).toEqual([]);
    const flows = await app.storage.read.kysely.selectFrom("flows").selectAll().execute();
    expect(flows).toEqual([]);
  });

  t.test(
    "changes only a few times an hour, because each change sends mails",
    async (app) => {
      const user = await person(app);
      const ids = [await giveEmail(app, user), await giveEmail(app, user)];
      const client = await session(app, user);
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) statuses.push((await client.post(`/v1/me/emails/${ids[i % 2]}/primary`)).status);
      expect(statuses).toEqual([200, 200, 200, 429]);
    },
    { settings: { limit_mail_account: "3/1h" } },
  );

  t.test("a person without a password may have addresses too", async (app) => {
    const user = await person(app);
    await deletePassword(app, user);
    const { asker, token } = await add(app, await session(app, user), "second@example.com");
    expect((await verify(asker, { token })).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${user.email}*`, "second@example.com"]);
  });
});

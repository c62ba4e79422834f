import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import {
  add,
  callerOf,
  deletePassword,
  emailsOf,
  makeAnonymous,
  NEW_PASSWORD,
  proofOf,
  session,
  setApplication,
} from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { workOf } from "../../support/work.ts";

const path = "/v1/auth/anonymous/upgrade";
const complete = "/v1/auth/register/complete";
const body = { email: "ada@example.com", password: NEW_PASSWORD };

async function anonymous(app: TestApp): Promise<TestUser> {
  const user = await app.user();
  await makeAnonymous(app, user);
  return user;
}

const isAnonymous = async (app: TestApp, { id }: TestUser) =>
  (await app.storage.read.kysely.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirstOrThrow())
    .is_anonymous;

scenarios("POST /v1/auth/anonymous/upgrade", (t) => {
  t.test(
    "gives an anonymous user an address and a password; the id stays, the sessions do not (ASVS 7.2.4)",
    async (app) => {
      const user = await anonymous(app);
      const other = await session(app, user, app.defaultApplicationId);
      const client = await session(app, user);
      const done = await client.post(path, { ...body, display_name: "Ada" });
      expect(done.status).toBe(200);
      expect(done.body.user).toMatchObject({
        id: user.id,
        email: body.email,
        email_verified: false,
        display_name: "Ada",
      });
      expect(await isAnonymous(app, user)).toBe(0);
      for (const before of [client, other]) {
        expect((await before.get("/v1/auth/session")).code).toBe("token_revoked");
      }
      const now = await app.client().bearer(done.body.access_token).get("/v1/auth/session");
      expect(now.body.session).toMatchObject({ auth_method: "password" });
      expect((await callerOf(app).post("/v1/auth/login", body)).body.user.id).toBe(user.id);
      expect(await app.audit()).toContain("user.upgraded");
    },
  );

  t.test("of twenty requests at once, one succeeds, and one password works", async (app) => {
    const user = await anonymous(app);
    const client = await session(app, user);
    const tries = Array.from({ length: 20 }, (_, index) => ({
      email: `ada${index}@example.com`,
      password: `granite-lantern-moth-${index + 10}`,
    }));
    const answers = await Promise.all(tries.map((input) => client.post(path, input)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    // Requests that came to the gate after the winner had no session any more.
    const others = answers.filter(({ status }) => status !== 200).map(({ code }) => code);
    expect(others.filter((code) => code !== "forbidden" && code !== "token_revoked")).toEqual([]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(await emailsOf(app, user)).toEqual([`ada${winner}@example.com*?`]);
  });

  t.test("is refused unless the user is anonymous, sign-up is open and the application is for people", async (app) => {
    const { tokens } = await app.signedIn();
    const known = app.client().bearer(tokens.accessToken);
    const before = await app.state();
    expect((await known.post(path, body)).code).toBe("forbidden");
    expect((await callerOf(app).post(path, body)).code).toBe("authentication_required");
    expect((await known.post(path, { ...body, user_id: "1" })).code).toBe("invalid_input");
    expect(await app.state()).toBe(before);
    expect(app.metric("sallyport_password_hashes_total")).toBe(0);
    const client = await session(app, await anonymous(app));
    expect((await client.post(path, { ...body, password: "passwordpassword" })).code).toBe("invalid_input");
    for (const changes of [
      { sign_up: "closed" },
      { sign_up: "immediate", type: "m2m" },
      { type: "web", sign_in_methods: '["anonymous"]' },
    ] as const) {
      await setApplication(app, app.applicationId, changes);
      expect((await client.post(path, body)).code).toBe("forbidden");
    }
  });

  t.test("a known address is 409, and the anonymous user stays anonymous", async (app) => {
    const user = await anonymous(app);
    const client = await session(app, user);
    await app.user(body.email);
    const before = await app.state();
    expect((await client.post(path, { ...body, email: "ADA@example.com" })).code).toBe("conflict");
    expect(await app.state()).toBe(before);
    expect((await client.get("/v1/auth/session")).status).toBe(200);
  });

  t.test(
    "with proven addresses it waits for the mail, and the answer does not tell who has an account (ASVS 6.3.8)",
    async (app) => {
      await setApplication(app, app.applicationId, { sign_up: "verified" });
      const user = await anonymous(app);
      const client = await session(app, user);
      await app.user("bob@example.com");
      await client.post(path, { ...body, email: "eve@example.com" });
      const known = await workOf(app, () => client.post(path, { ...body, email: "bob@example.com" }));
      const unknown = await workOf(app, () => client.post(path, body));
      expect(known).toEqual(unknown);
      expect(unknown).toMatchObject({ status: 202, hashes: 0, mails: 1 });
      const { link } = await app.mail(body.email);
      expect(await isAnonymous(app, user)).toBe(1);
      // The click of a reader without the session must not give a stranger the address.
      const proof = { token: link, password: body.password };
      for (const reader of [callerOf(app), await session(app, await anonymous(app))]) {
        expect((await reader.post(complete, proof)).code).toBe("asking_session_required");
      }
      expect([await isAnonymous(app, user), await emailsOf(app, user)]).toEqual([1, []]);
      const done = await client.post(complete, proof);
      expect([done.status, done.body.user.id]).toEqual([201, user.id]);
      expect(done.body.user).toMatchObject({ email: body.email, email_verified: true });
      expect((await client.get("/v1/auth/session")).code).toBe("token_revoked");
      expect((await callerOf(app).post("/v1/auth/login", body)).body.user.id).toBe(user.id);
    },
  );

  t.test("of two proofs of one user, the first upgrades and the second opens nothing", async (app) => {
    await setApplication(app, app.applicationId, { sign_up: "verified" });
    const user = await anonymous(app);
    const client = await session(app, user);
    const ask = (email: string) => proofOf(app, email, client.post(path, { ...body, email }));
    const [first, second] = [await ask("one@example.com"), await ask("two@example.com")];
    const answers = await Promise.all(
      [first, second, first, second].map(({ token }) => client.post(complete, { token, password: body.password })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(3);
    expect(await emailsOf(app, user)).toHaveLength(1);
  });

  t.test(
    "does not upgrade to an address that is taken meanwhile, or a user who is deleted or disabled",
    async (app) => {
      await setApplication(app, app.applicationId, { sign_up: "verified" });
      const user = await anonymous(app);
      const client = await session(app, user);
      const taken = await proofOf(app, body.email, client.post(path, body));
      await app.user(body.email);
      expect((await client.post(complete, { token: taken.token, password: body.password })).code).toBe("conflict");
      expect(await isAnonymous(app, user)).toBe(1);
      const email = "bob@example.com";
      const waiting = await proofOf(app, email, client.post(path, { ...body, email }));
      await app.disable("users", user.id);
      expect((await client.post(complete, { token: waiting.token, password: body.password })).status).toBe(401);
      expect(await emailsOf(app, user)).toEqual([]);
      await app.client().bearer(app.secretKey).delete(`/v1/users/${user.id}`);
      expect((await client.post(complete, { token: waiting.token, password: body.password })).code).toBe(
        "invalid_code",
      );
    },
  );

  t.test("a person who proves an address is no longer anonymous, and a password alone is refused", async (app) => {
    const [first, second] = [await anonymous(app), await anonymous(app)];
    const { asker, token } = await add(app, await session(app, first), body.email);
    expect((await asker.post("/v1/auth/email/verify", { token })).status).toBe(200);
    expect([await isAnonymous(app, first), await emailsOf(app, first)]).toEqual([0, ["ada@example.com*"]]);
    await deletePassword(app, second);
    const client = await session(app, second);
    expect((await client.post("/v1/me/password", { new_password: NEW_PASSWORD })).code).toBe("forbidden");
    expect(await isAnonymous(app, second)).toBe(1);
  });
});

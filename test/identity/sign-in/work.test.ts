import { expect } from "bun:test";
import { findSession } from "../../../src/identity/sessions/store.ts";
import type { TestApp } from "../../support/app.ts";
import type { Answer, Client } from "../../support/client.ts";
import { unprove } from "../../support/mail-proofs.ts";
import { allowMail, completeBy, proofFor } from "../../support/mailed-links.ts";
import { addPasskey, caller, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, verify } from "../../support/second-factors.ts";
import { totp } from "../../support/totp.ts";
import { workOf } from "../../support/work.ts";

const COOKIE = "sallyport_dv";

/** Counts the statements of a second sign-in on one device. */
async function secondSignIn(app: TestApp, signIn: (client: Client) => Promise<Answer>) {
  const { cookies } = await signIn(caller(app));
  const cookie = `${COOKIE}=${cookies.find(({ name }) => name.startsWith(COOKIE))?.value}`;
  const { status, reads, writes, statementsInWrites } = await workOf(app, () =>
    signIn(app.client({ "x-application-id": app.applicationId, cookie })),
  );
  return { status, reads, writes, statementsInWrites };
}

async function passkeyOf(app: TestApp) {
  const { tokens } = await app.signedIn();
  const authenticator = newAuthenticator();
  await addPasskey(app.client().bearer(tokens.accessToken), authenticator);
  return authenticator;
}

scenarios("the work of a sign-in on a known device", (t) => {
  t.test("a password takes three reads and nine statements in two writes", async (app) => {
    const { login } = await app.user();
    const body = { ...login, delivery: "cookie" };
    const work = await secondSignIn(app, (client) => client.post("/v1/auth/login", body));
    expect(work).toEqual({ status: 200, reads: 3, writes: 2, statementsInWrites: 9 });
  });

  t.test("a passkey takes two reads and ten statements in four writes", async (app) => {
    const authenticator = await passkeyOf(app);
    const work = await secondSignIn(app, (client) => signInWith(client, authenticator));
    expect(work).toEqual({ status: 200, reads: 2, writes: 4, statementsInWrites: 10 });
  });
});

scenarios("the session that a sign-in issues", (t) => {
  t.test("is the session in the database, by every method, also where the proof changes the user", async (app) => {
    const { sessions } = app.identity;
    const issue = sessions.issue.bind(sessions);
    let issued = 0;
    sessions.issue = async (session, application) => {
      expect(await findSession(app.storage.read, session.sid)).toStrictEqual(session);
      issued++;
      return issue(session, application);
    };
    await allowMail(app, ["password", "passkey", "magic_link"]);
    const authenticator = await passkeyOf(app);
    expect((await firstFactor(app, await app.user())).body.status).toBe("success");
    expect((await signInWith(caller(app), authenticator)).status).toBe(200);
    app.clock.advance(5_000);
    // A mailed link proves the address.
    const other = await app.user("other@example.com");
    await unprove(app, other);
    expect((await completeBy(app.client(), await proofFor(app, other.email))).body.user.email_verified).toBe(true);
    app.clock.advance(5_000);
    // The set-up of an app writes the user's row, and steps the session up.
    const { user: person, secret } = await enrolled(app);
    const half = await firstFactor(app, person);
    expect((await verify(own(app), half.body.mfa_token, totp(secret, app.clock.now()))).body.status).toBe("success");
    expect(issued).toBe(7);
  });
});

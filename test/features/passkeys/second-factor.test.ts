import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { AssertionJson, Quirks, RequestOptions } from "../../support/authenticator.ts";
import type { Answer } from "../../support/client.ts";
import {
  beginSignIn,
  caller,
  completeSignIn,
  type Holder,
  holder,
  newAuthenticator,
  signInWith,
} from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";

interface Asked {
  flow_id: string;
  public_key: RequestOptions;
}
const asked = (answer: Answer) => (answer.body as unknown as { passkey: Asked }).passkey;
const refusal = ({ status, code }: Answer) => [status, code];
const REFUSED = [401, "invalid_code"];

/** Makes the first half of a sign-in. */
async function passwordOf(app: TestApp, { user }: Holder): Promise<string> {
  const { body } = await caller(app).post("/v1/auth/login", user.login);
  expect(body as unknown).toMatchObject({ status: "mfa_required", methods: ["passkey"], setup_required: false });
  return body.mfa_token;
}
const challengeOf = async (app: TestApp, token: string) =>
  asked(await caller(app).post("/v1/auth/mfa/challenge", { mfa_token: token }));
const verify = (app: TestApp, token: string, flowId: string, response: AssertionJson) =>
  caller(app).post("/v1/auth/mfa/verify", { mfa_token: token, method: "passkey", flow_id: flowId, response });

scenarios("a passkey as second factor", (t) => {
  t.test("after a password, asks for this user's passkeys only (ASVS 6.3.3)", async (app) => {
    const one = await holder(app);
    await holder(app);
    const token = await passwordOf(app, one);
    const { flow_id, public_key } = await challengeOf(app, token);
    const [held] = one.authenticator.held;
    expect(public_key as unknown).toMatchObject({
      rpId: "localhost",
      allowCredentials: [
        {
          id: Buffer.from(held?.id ?? "").toString("base64url"),
          type: "public-key",
          transports: ["hybrid", "internal"],
        },
      ],
      userVerification: "preferred",
    });
    const answer = await verify(app, token, flow_id, one.authenticator.get(public_key));
    expect([answer.status, answer.body.user.id]).toEqual([200, one.user.id]);
    const { body } = await app.client().bearer(answer.body.access_token).get("/v1/auth/session");
    expect(body.session).toMatchObject({ aal: "aal2", auth_method: "password", amr: ["pwd", "swk", "user", "mfa"] });
    // Neither the token nor the challenge works again.
    expect(refusal(await verify(app, token, flow_id, one.authenticator.get(public_key)))).toEqual(REFUSED);
    const next = await passwordOf(app, one);
    expect(refusal(await verify(app, next, flow_id, one.authenticator.get(public_key)))).toEqual(REFUSED);
  });

  t.test(
    "a key without user verification is a second factor to a password, not to another passkey or a mail",
    async (app) => {
      const key = newAuthenticator({ verifiesUser: false, backupEligible: false });
      const one = await holder(app, key);
      const token = await passwordOf(app, one);
      const { flow_id, public_key } = await challengeOf(app, token);
      const answer = await verify(app, token, flow_id, key.get(public_key, { userHandle: null }));
      expect(answer.status).toBe(200);
      const act = await app.act();
      const factor = app.identity.secondFactors.factor("passkey");
      const check = async (proven: readonly string[] | undefined, quirks: Quirks) => {
        const challenge = await factor.challenge?.(act.application, one.user.id);
        const options = challenge?.public_key as unknown as RequestOptions;
        const given = { act, userId: one.user.id, code: null, flowId: challenge?.flow_id ?? null };
        const response = key.get(options, quirks);
        return factor.check({ ...given, response, ...(proven ? { proven } : {}) }).then(
          ({ amr }) => amr,
          ({ code }) => code,
        );
      };
      expect(await check(["pwd"], {})).toEqual(["hwk", "user"]);
      for (const proven of [undefined, [], ["otp"], ["hwk", "user"]]) {
        expect([proven, await check(proven, {})]).toEqual([proven, "invalid_code"]);
        expect(await check(proven, { userVerified: true })).toEqual(["hwk", "user", "mfa"]);
      }
    },
  );

  t.test(
    "wrong answers are refused for each fault alone, and so are other challenges",
    async (app) => {
      const one = await holder(app);
      const two = await holder(app);
      const forged: Record<string, Quirks> = {
        signature: { bogusSignature: true },
        origin: { origin: "https://evil.example" },
        domain: { rpId: "evil.example" },
        type: { type: "webauthn.create" },
        handle: { userHandle: Buffer.from(two.authenticator.held[0]?.userHandle ?? "").toString("base64url") },
        presence: { userPresent: false },
      };
      for (const [name, quirks] of Object.entries(forged)) {
        const token = await passwordOf(app, one);
        const { flow_id, public_key } = await challengeOf(app, token);
        const answer = await verify(app, token, flow_id, one.authenticator.get(public_key, quirks));
        expect([name, ...refusal(answer)]).toEqual([name, ...REFUSED]);
      }
      const token = await passwordOf(app, one);
      const mine = await challengeOf(app, token);
      // Another user's passkey, for this challenge.
      const foreign = two.authenticator.get({ ...mine.public_key, allowCredentials: [] });
      expect(refusal(await verify(app, token, mine.flow_id, foreign))).toEqual(REFUSED);
      // Another user's challenge, answered by that user.
      const theirs = await challengeOf(app, await passwordOf(app, two));
      const right = two.authenticator.get(theirs.public_key);
      expect(refusal(await verify(app, token, theirs.flow_id, right))).toEqual(REFUSED);
      // A sign-in's challenge here, and this one there.
      const signIn = await beginSignIn(caller(app));
      expect(refusal(await verify(app, token, signIn.flow_id, one.authenticator.get(signIn.public_key)))).toEqual(
        REFUSED,
      );
      const misused = one.authenticator.get(mine.public_key);
      expect(refusal(await completeSignIn(caller(app), mine.flow_id, misused))).toEqual(REFUSED);
      expect((await verify(app, token, mine.flow_id, misused)).status).toBe(200);
    },
    { settings: { limit_account: "1000/1m", limit_second_factor: "1000/1m" } },
  );

  t.test("malformed answers are invalid input, with the field", async (app) => {
    const one = await holder(app);
    const token = await passwordOf(app, one);
    const { flow_id } = await challengeOf(app, token);
    for (const response of [{}, { id: 1 }, { id: "AA", rawId: "AA", type: "public-key", response: [] }]) {
      const answer = await caller(app).post("/v1/auth/mfa/verify", {
        mfa_token: token,
        method: "passkey",
        flow_id,
        response,
      });
      expect(answer.code).toBe("invalid_input");
      expect(JSON.stringify(answer.body.error.details)).toContain("response.");
    }
  });

  t.test(
    "of twenty proofs at once, one session begins",
    async (app) => {
      const one = await holder(app);
      const token = await passwordOf(app, one);
      const { flow_id, public_key } = await challengeOf(app, token);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => verify(app, token, flow_id, one.authenticator.get(public_key))),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    },
    { settings: { limit_account: "1000/1m", limit_second_factor: "1000/1m" } },
  );

  t.test("steps a session up, which goes on under a new id", async (app) => {
    const one = await holder(app);
    const challenge = asked(await one.client.post("/v1/auth/mfa/challenge", {}));
    const response = one.authenticator.get(challenge.public_key);
    const stepped = await one.client.post("/v1/auth/mfa/verify", {
      method: "passkey",
      flow_id: challenge.flow_id,
      response,
    });
    expect(stepped.status).toBe(200);
    expect((await one.client.get("/v1/auth/session")).code).toBe("token_revoked");
    const client = app.client().bearer(stepped.body.access_token);
    expect((await client.post("/v1/me/passkeys/begin")).status).toBe(200);
  });

  t.test("a passkey that verified its owner needs nothing more; one that did not needs another factor", async (app) => {
    const key = newAuthenticator({ verifiesUser: false });
    const one = await holder(app, key);
    // The same key twice is still one factor, so no method is left that would do.
    expect((await signInWith(caller(app), key)).body.status).toBe("success");
    const { body } = await signInWith(caller(app), key);
    const client = app.client().bearer(body.access_token);
    const challenge = await client.post("/v1/auth/mfa/challenge", {});
    expect(challenge.body.methods).toEqual([]);
    expect(one.passkey.rp_id).toBe("localhost");
  });
});

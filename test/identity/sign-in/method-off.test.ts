import { expect, test } from "bun:test";
import { features } from "../../../src/app.ts";
import type { TestApp } from "../../support/app.ts";
import type { Answer } from "../../support/client.ts";
import { callerOf, NEW_PASSWORD, proofOf, setApplication, signUp } from "../../support/mail-proofs.ts";
import { beginSignIn, completeSignIn, holder } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, verify } from "../../support/second-factors.ts";
import { totp } from "../../support/totp.ts";

/** Begins a sign-in that would succeed. @returns its last call */
type Start = (app: TestApp) => Promise<() => Promise<Answer>>;

const KNOWN = Object.keys(features.hooks.credentials);
const ALL = JSON.stringify(KNOWN);

function byMail(method: "magic_link" | "email_code"): Start {
  return async (app) => {
    const { email } = await app.user();
    const client = callerOf(app);
    const sent = client.post("/v1/auth/email/start", { email, method });
    if (method === "magic_link") {
      const { token, flowId } = await proofOf(app, email, sent);
      return () => client.post("/v1/auth/email/complete", { token, flow_id: flowId });
    }
    const { flow_id } = (await sent).body;
    const { code } = await app.mail(email);
    return () => client.post("/v1/auth/email/complete", { flow_id, code });
  };
}

/** One entry per method: a new method needs an entry here. */
const METHODS: Record<string, Start> = {
  password: async (app) => {
    const { login } = await app.user();
    return () => callerOf(app).post("/v1/auth/login", login);
  },
  passkey: async (app) => {
    const { authenticator } = await holder(app);
    const client = callerOf(app);
    const { flow_id, public_key } = await beginSignIn(client);
    return () => completeSignIn(client, flow_id, authenticator.get(public_key));
  },
  magic_link: byMail("magic_link"),
  email_code: byMail("email_code"),
  anonymous: async (app) => () => callerOf(app).post("/v1/auth/anonymous", {}),
};

/** Sign-ins whose method has several ways to complete. */
const MORE: [name: string, method: string, start: Start][] = [
  [
    "a mailed sign-up",
    "password",
    async (app) => {
      const { token } = await signUp(app);
      return () => callerOf(app).post("/v1/auth/register/complete", { token, password: NEW_PASSWORD });
    },
  ],
  [
    "the second factor",
    "password",
    async (app) => {
      const { user, secret } = await enrolled(app);
      const { mfa_token } = (await firstFactor(app, user)).body;
      return () => verify(own(app), mfa_token, totp(secret, app.clock.now()));
    },
  ],
];

/** Sign-ins with short codes: every try counts, right or wrong. */
const TRIES: ReadonlySet<string> = new Set(["email_code", "the second factor"]);

const CASES = [
  ...Object.entries(METHODS).map(([method, start]) => [method, method, start] as [string, string, Start]),
  ...MORE,
];

test("every sign-in method has a case here", () => {
  expect(Object.keys(METHODS).toSorted()).toEqual(KNOWN.toSorted());
});

scenarios("a sign-in method that is switched off between start and completion", (t) => {
  for (const [name, method, start] of CASES) {
    t.test(`refuses ${name}`, async (app) => {
      await setApplication(app, app.applicationId, { sign_in_methods: ALL });
      const complete = await start(app);
      await switchOff(app, method);
      const before = await app.state();
      const answer = await complete();
      expect([answer.status, answer.code]).toEqual([403, "forbidden"]);
      expect(answer.text).toContain(`This application does not allow the sign-in method ${method}.`);
      if (!TRIES.has(name)) expect(await app.state()).toBe(before);
    });

    t.test(`refuses ${name}, even if the method itself forgets to check`, async (app) => {
      app.identity.signIns.requireMethod = () => {};
      await setApplication(app, app.applicationId, { sign_in_methods: ALL });
      const complete = await start(app);
      await switchOff(app, method);
      const known = await sessionIds(app);
      const answer = await complete();
      expect([answer.status, answer.code]).toEqual([403, "forbidden"]);
      expect(await sessionIds(app)).toEqual(known);
      // Nothing was spent: when the method is on again, the same answer signs in.
      await setApplication(app, app.applicationId, { sign_in_methods: ALL });
      expect((await complete()).status).toBeLessThan(202);
    });
  }
});

scenarios("the host of all sign-in methods", (t) => {
  t.test("refuses a wrong request before the method creates or spends anything", async (app) => {
    const request = app.signInRequest(await app.act());
    const before = await app.state();
    for (const [method, audience, code] of [
      ["magic_link", null, "forbidden"],
      ["password", "https://evil.example", "invalid_input"],
    ] as const) {
      const commit = () => Promise.reject(new Error("the proof was spent"));
      const proof = { method, amr: [], aal: "aal1", commit } as const;
      await expect(app.identity.signIns.complete({ ...request, audience }, proof)).rejects.toMatchObject({ code });
    }
    expect(await app.state()).toBe(before);
  });
});

async function switchOff(app: TestApp, method: string): Promise<void> {
  const left = KNOWN.filter((known) => known !== method);
  await setApplication(app, app.applicationId, { sign_in_methods: JSON.stringify(left) });
}

async function sessionIds(app: TestApp): Promise<string[]> {
  const rows = await app.storage.read.kysely.selectFrom("sessions").select("id").orderBy("id").execute();
  return rows.map(({ id }) => id);
}

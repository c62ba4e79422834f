import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { callerOf, proofOf, setApplication } from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { type Enrolled, enrolled, firstFactor, own, proveAddress, verify } from "../../support/second-factors.ts";
import { totp, wrongTotp } from "../../support/totp.ts";

const STEP = 30_000;
/** Limits high enough that only the limit under test can refuse. */
const ROOMY = { limit_account: "1000/1m", limit_account_total: "1000/1m", limit_network: "1000/1m" };
const FULL_WIDTH = (code: string) => code.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));

const newFlow = async (app: TestApp, { user }: Enrolled, client: Client) =>
  (await firstFactor(app, user, client)).body.mfa_token;

/** Signs in with the current code, and returns it: it is used now. */
async function use(app: TestApp, person: Enrolled, client: Client): Promise<string> {
  const code = totp(person.secret, app.clock.now());
  const { status } = await verify(client, await newFlow(app, person, client), code);
  expect(status).toBe(200);
  return code;
}

scenarios("a TOTP code that was used before", (t) => {
  t.test(
    "is answered with its own error, and costs neither a try of the flow nor one of the account",
    async (app) => {
      const person = await enrolled(app);
      await proveAddress(app, person.user);
      const client = own(app);
      const used = await use(app, person, client);
      await app.mails();
      const token = await newFlow(app, person, client);
      for (let i = 0; i < 8; i++) {
        const { status, body } = await verify(client, token, used);
        expect([i, status, body.error]).toMatchObject([i, 401, { code: "code_used", type: "authentication_error" }]);
      }
      expect(await app.mails(person.user.email)).toEqual([]);
      app.clock.advance(STEP);
      expect((await verify(client, token, totp(person.secret, app.clock.now()))).status).toBe(200);
    },
    { settings: { ...ROOMY, limit_second_factor: "3/1d" } },
  );

  t.test(
    "restores no tries either: its observer cannot guess on",
    async (app) => {
      const person = await enrolled(app);
      const client = own(app);
      const used = await use(app, person, client);
      const guess = async (code: string) => (await verify(client, await newFlow(app, person, client), code)).code;
      const codes: (string | undefined)[] = [];
      for (let i = 0; i < 4; i++) {
        codes.push(await guess(wrongTotp(person.secret, app.clock.now(), i)), await guess(used));
      }
      const twice = ["invalid_code", "code_used"];
      expect(codes).toEqual([...twice, ...twice, "invalid_code", "rate_limited", "rate_limited", "rate_limited"]);
    },
    { settings: { ...ROOMY, limit_second_factor: "3/1d" } },
  );

  t.test("leaves the flow's earlier wrong tries counted", async (app) => {
    const person = await enrolled(app);
    const client = own(app);
    const used = await use(app, person, client);
    const token = await newFlow(app, person, client);
    for (let i = 0; i < 5; i++) {
      expect((await verify(client, token, used)).code).toBe("code_used");
      expect((await verify(client, token, wrongTotp(person.secret, app.clock.now(), i))).code).toBe("invalid_code");
    }
    expect((await verify(client, token, used)).code).toBe("invalid_code");
    app.clock.advance(STEP);
    expect((await verify(client, token, totp(person.secret, app.clock.now()))).code).toBe("invalid_code");
  });

  t.test("is a wrong code to every other account, after its window, and if nobody has used it", async (app) => {
    const person = await enrolled(app);
    const other = await enrolled(app);
    const client = own(app);
    const now = app.clock.now();
    const used = await use(app, person, client);
    const answer = async (whose: Enrolled, code: string) =>
      (await verify(client, await newFlow(app, whose, client), code)).code;
    expect(await answer(other, used)).toBe("invalid_code");
    // The phone's last code is spent as well, but only its owner's phone has shown it.
    expect(await answer(person, totp(person.secret, now, -2))).toBe("invalid_code");
    app.clock.advance(STEP);
    expect(await answer(person, used)).toBe("code_used");
    const later = await use(app, person, client);
    expect(await answer(person, used)).toBe("invalid_code");
    app.clock.advance(2 * STEP);
    expect(await answer(person, later)).toBe("invalid_code");
    expect((await verify(client, "no-token", later)).code).toBe("invalid_code");
    expect((await app.client().post("/v1/auth/mfa/verify", { method: "totp", code: later })).code).not.toBe(
      "code_used",
    );
  });

  t.test(
    "costs tries again once it was sent too often",
    async (app) => {
      const person = await enrolled(app);
      const client = own(app);
      const used = await use(app, person, client);
      const token = await newFlow(app, person, client);
      const codes: (string | undefined)[] = [];
      for (let i = 0; i < 36; i++) codes.push((await verify(client, token, used)).code);
      expect(codes.filter((code) => code === "code_used")).toHaveLength(30);
      // Five refused repeats are five tries, and the flow is over.
      expect(codes.slice(30)).toEqual([...Array.from({ length: 5 }, () => "rate_limited"), "invalid_code"]);
    },
    { settings: { ...ROOMY, limit_second_factor: "100/1d" } },
  );

  t.test("says the same in a step-up, also right after the set-up and to a form that was sent twice", async (app) => {
    const { tokens } = await app.signedIn();
    const before = app.client().bearer(tokens.accessToken);
    const secret = (await before.post("/v1/auth/mfa/setup")).body.secret ?? "";
    const code = totp(secret, app.clock.now());
    const enabled = await before.post("/v1/auth/mfa/enable", { code });
    const client = app.client().bearer(enabled.body.access_token);
    const stepUp = (given: string) => client.post("/v1/auth/mfa/verify", { method: "totp", code: given });
    expect((await stepUp(code)).code).toBe("code_used");
    app.clock.advance(STEP);
    const next = totp(secret, app.clock.now());
    const answers = await Promise.all([stepUp(next), stepUp(next)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  t.test(
    "of two flows with one code at once, one signs in and the other hears that it was used",
    async (app) => {
      const person = await enrolled(app);
      const client = own(app);
      const flows = [await newFlow(app, person, client), await newFlow(app, person, client)];
      const code = totp(person.secret, app.clock.now());
      const answers = await Promise.all(flows.map((token) => verify(client, token, code)));
      expect(answers.map(({ code: refusal }) => refusal ?? "in").sort()).toEqual(["code_used", "in"]);
    },
    { settings: ROOMY },
  );
});

scenarios("codes as people type them", (t) => {
  t.test("a TOTP code, a recovery code and a mailed code are read in one form", async (app) => {
    const person = await enrolled(app);
    const client = own(app);
    const code = totp(person.secret, app.clock.now());
    const typed = `\u200b${FULL_WIDTH(code.slice(0, 3))}\u00a0\u2013 ${code.slice(3)}\ufeff`;
    expect((await verify(client, await newFlow(app, person, client), typed)).status).toBe(200);
    const recovery = FULL_WIDTH((person.codes[0] ?? "").toLowerCase().replaceAll("-", "\u2011"));
    const answer = await verify(client, await newFlow(app, person, client), recovery, { method: "recovery_code" });
    expect(answer.status).toBe(200);
    const bare = await app.user();
    const methods = JSON.stringify(["password", "magic_link"]);
    await setApplication(app, app.applicationId, { sign_in_methods: methods });
    const caller = callerOf(app);
    const mailed = await proofOf(
      app,
      bare.email,
      caller.post("/v1/auth/email/start", { email: bare.email, method: "magic_link" }),
    );
    const input = { flow_id: mailed.flowId, code: `\u2066${FULL_WIDTH(mailed.code)}\u2069` };
    expect((await caller.post("/v1/auth/email/complete", input)).status).toBe(200);
  });

  t.test("text without any code costs no try", async (app) => {
    const person = await enrolled(app);
    const client = own(app);
    const token = await newFlow(app, person, client);
    for (let i = 0; i < 6; i++) expect((await verify(client, token, " \u200b-")).code).toBe("invalid_input");
    expect((await verify(client, token, totp(person.secret, app.clock.now()))).status).toBe(200);
  });
});

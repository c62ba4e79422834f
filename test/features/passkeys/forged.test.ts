import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { TestApp } from "../../support/app.ts";
import type { AssertionJson, Authenticator, Quirks } from "../../support/authenticator.ts";
import { encodeCbor } from "../../support/cbor.ts";
import type { Answer, Client } from "../../support/client.ts";
import {
  beginRegistration,
  beginSignIn,
  caller,
  completeSignIn,
  holder,
  newAuthenticator,
  signInWith,
} from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";

const only = (authenticator: Authenticator) => {
  const [credential] = authenticator.held;
  if (!credential) throw new Error("nothing is held");
  return credential;
};
const base64url = (text: string | Uint8Array) => Buffer.from(text).toString("base64url");
const refusal = ({ status, code, body }: Answer) => [status, code, body.error?.message];
const REFUSED = [401, "invalid_code", "The passkey's answer is wrong, came too late, or was used before. Try again."];
const NO_CHALLENGE = [
  401,
  "invalid_code",
  "This code or link is wrong, was used before, or has expired. Ask for a new one.",
];

/** Each answer is wrong in one thing only. */
const forged: Record<string, Quirks> = {
  "bogus signature": { bogusSignature: true },
  "another challenge": { challenge: base64url(crypto.getRandomValues(new Uint8Array(32))) },
  "no challenge": { clientData: { challenge: undefined } },
  "challenge of another type": { clientData: { challenge: 42 } },
  "foreign RP id": { rpId: "evil.example" },
  "the domain above": { rpId: "example.com" },
  "foreign origin": { origin: "https://evil.example" },
  "origin below an allowed one": { origin: "https://app.example.com.evil.example" },
  "origin on another port": { origin: "https://app.example.com:8443" },
  "origin by http": { origin: "http://app.example.com" },
  "origin in other letters": { origin: "https://APP.example.com" },
  "origin with a path": { origin: "https://app.example.com/" },
  "no origin": { clientData: { origin: undefined } },
  "a registration's type": { type: "webauthn.create" },
  "an unknown type": { type: "payment.get" },
  "in a frame of another origin": { clientData: { crossOrigin: true } },
  "in a frame, by another word": { clientData: { crossOrigin: "true" } },
  "in a frame, by its top": { clientData: { topOrigin: "https://evil.example" } },
  "token binding that is text": { clientData: { tokenBinding: "present" } },
  "token binding of an unknown kind": { clientData: { tokenBinding: { status: "junk" } } },
  "nobody present": { userPresent: false },
  "verified without presence": { userPresent: false, userVerified: true },
  "backed up and not eligible": { backupEligible: false, backedUp: true },
  "another user's handle": { userHandle: base64url(crypto.getRandomValues(new Uint8Array(16))) },
  "an address as handle": { userHandle: base64url("ada@example.com") },
  "no handle": { userHandle: null },
  "authenticator data cut short": { authenticatorData: new Uint8Array(36) },
  "authenticator data of one byte": { authenticatorData: new Uint8Array(1) },
  "authenticator data with extra bytes": {
    authenticatorData: Buffer.concat([new Uint8Array(37), new Uint8Array(100)]),
  },
};

async function sessions(app: TestApp): Promise<number> {
  return (await app.storage.read.kysely.selectFrom("sessions").select("id").execute()).length;
}

scenarios("a wrong answer of a passkey", (t) => {
  t.test(
    "is refused for each fault alone, and signs nobody in (ASVS 6.3.1, 6.6.2)",
    async (app) => {
      const { authenticator } = await holder(app);
      const before = await sessions(app);
      for (const [name, quirks] of Object.entries(forged)) {
        const answer = await signInWith(caller(app), authenticator, quirks);
        expect([name, ...refusal(answer)]).toEqual([name, ...REFUSED]);
        expect([name, answer.cookies]).toEqual([name, []]);
      }
      expect(await sessions(app)).toBe(before);
      expect(await app.audit()).toContain("sign_in.refused");
      // The passkey still works afterwards.
      expect((await signInWith(caller(app), authenticator)).status).toBe(200);
    },
    { settings: { limit_network: "1000/1m" } },
  );

  t.test("frames are recognised by the standard's own values: false and absent mean no frame", async (app) => {
    const { authenticator } = await holder(app);
    for (const crossOrigin of [false, undefined]) {
      const answer = await signInWith(caller(app), authenticator, { clientData: { crossOrigin } });
      expect([crossOrigin, answer.status]).toEqual([crossOrigin, 200]);
    }
  });

  t.test(
    "junk in any field is refused and never causes an internal error",
    async (app) => {
      const { authenticator } = await holder(app);
      const client = caller(app);
      const send = async (change: (right: AssertionJson) => unknown) => {
        const { flow_id, public_key } = await beginSignIn(client);
        const response = change(authenticator.get(public_key));
        return client.post("/v1/auth/passkey/login/complete", { flow_id, response });
      };
      const inResponse = (changes: object) => (right: AssertionJson) => ({
        ...right,
        response: { ...right.response, ...changes },
      });
      const deep = encodeCbor(new Map([["a", 1]]));
      const nested = Buffer.concat([Buffer.alloc(5_000, 0x81), deep]);
      const extension = (data: Uint8Array) =>
        base64url(Buffer.concat([Buffer.alloc(32), Buffer.of(0x85), Buffer.alloc(4), data]));
      const cases: [string, (right: AssertionJson) => unknown, number][] = [
        ["nothing", () => undefined, 400],
        ["null", () => null, 400],
        ["text", () => "response", 400],
        ["a list", () => [], 400],
        ["no inner response", ({ response: _, ...rest }) => rest, 400],
        ["no id", ({ id: _, ...rest }) => rest, 400],
        ["an id with a dot", (right) => ({ ...right, id: "a.b", rawId: "a.b" }), 400],
        ["an id of 2 kB", (right) => ({ ...right, id: "A".repeat(2_000), rawId: "A".repeat(2_000) }), 400],
        ["another rawId", (right) => ({ ...right, rawId: base64url("another") }), 401],
        ["an unknown id", (right) => ({ ...right, id: base64url("unknown"), rawId: base64url("unknown") }), 401],
        ["another type", (right) => ({ ...right, type: "password" }), 401],
        ["__proto__", (right) => ({ ...right, ["__proto__"]: 1, id: { __proto__: null } }), 400],
        ["client data that is not JSON", inResponse({ clientDataJSON: base64url("{") }), 401],
        ["client data that is a list", inResponse({ clientDataJSON: base64url("[]") }), 401],
        ["client data that is null", inResponse({ clientDataJSON: base64url("null") }), 401],
        ["client data that is not UTF-8", inResponse({ clientDataJSON: base64url(Buffer.of(0xff, 0xfe)) }), 401],
        ["client data of 5 kB", inResponse({ clientDataJSON: "A".repeat(5_000) }), 400],
        ["client data as a number", inResponse({ clientDataJSON: 1 }), 400],
        ["a signature of one byte", inResponse({ signature: "AA" }), 401],
        ["a signature of zeros", inResponse({ signature: base64url(Buffer.alloc(70)) }), 401],
        ["a signature that is not base64url", inResponse({ signature: "MEUC+/==" }), 400],
        ["an empty signature", inResponse({ signature: "" }), 400],
        ["extensions nested 5,000 deep", inResponse({ authenticatorData: extension(nested) }), 401],
        [
          "extensions that claim 4 GB",
          inResponse({ authenticatorData: extension(Buffer.of(0x5a, 0xff, 0xff, 0xff, 0xff)) }),
          401,
        ],
        [
          "extensions of 2^32 items",
          inResponse({ authenticatorData: extension(Buffer.of(0x9a, 0xff, 0xff, 0xff, 0xff)) }),
          401,
        ],
        ["extensions cut short", inResponse({ authenticatorData: extension(Buffer.of(0xa1)) }), 401],
        ["extensions of an invalid type", inResponse({ authenticatorData: extension(Buffer.of(0xff)) }), 401],
        ["authenticator data of 7 kB", inResponse({ authenticatorData: "A".repeat(8_000) }), 401],
        ["authenticator data of 9 kB", inResponse({ authenticatorData: "A".repeat(9_000) }), 400],
        ["a handle as a list", inResponse({ userHandle: ["AA"] }), 400],
      ];
      for (const [name, change, status] of cases) {
        const answer = await send(change);
        expect([name, answer.status, answer.code]).toEqual([
          name,
          status,
          status === 400 ? "invalid_input" : "invalid_code",
        ]);
      }
      // Members that a later level of the standard may add are dropped.
      expect((await send((right) => ({ ...right, novel: 1, response: { ...right.response, novel: [] } }))).status).toBe(
        200,
      );
      const { flow_id, public_key } = await beginSignIn(client);
      const whole = {
        flow_id,
        response: authenticator.get(public_key),
        user_id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
      };
      expect((await client.post("/v1/auth/passkey/login/complete", whole)).code).toBe("invalid_input");
    },
    { settings: { limit_network: "1000/1m" } },
  );

  t.test("a challenge works once, for ten minutes, for its purpose, its application and its tenant", async (app) => {
    const { authenticator, client } = await holder(app);
    const right = async (at: Client) => {
      const { flow_id, public_key } = await beginSignIn(at);
      return { flow_id, response: authenticator.get(public_key) };
    };
    const used = await right(caller(app));
    expect((await completeSignIn(caller(app), used.flow_id, used.response)).status).toBe(200);
    expect(refusal(await completeSignIn(caller(app), used.flow_id, used.response))).toEqual(NO_CHALLENGE);

    const late = await right(caller(app));
    app.clock.advance(10 * 60_000 + 1);
    expect(refusal(await completeSignIn(caller(app), late.flow_id, late.response))).toEqual(NO_CHALLENGE);

    const elsewhere = await right(caller(app));
    const twin = app.client({ "x-application-id": await app.application({ origins: ["https://app.example.com"] }) });
    expect(refusal(await completeSignIn(twin, elsewhere.flow_id, elsewhere.response))).toEqual(NO_CHALLENGE);
    const acme = await app.tenant("acme");
    const there = app.client({ "x-application-id": acme.applicationId });
    expect(refusal(await completeSignIn(there, elsewhere.flow_id, elsewhere.response))).toEqual(NO_CHALLENGE);
    // The other tenant's own challenge: a passkey of this tenant does not exist there.
    const foreign = await beginSignIn(there);
    const answer = authenticator.assert(only(authenticator), foreign.public_key.challenge, {
      origin: "https://acme.example",
    });
    expect(refusal(await completeSignIn(there, foreign.flow_id, answer))).toEqual(REFUSED);

    const fresh = (await signInWith(caller(app), authenticator)).body.access_token;
    const registration = await beginRegistration(client.bearer(fresh));
    const misused = authenticator.assert(only(authenticator), registration.public_key.challenge);
    expect(refusal(await completeSignIn(caller(app), registration.flow_id, misused))).toEqual(NO_CHALLENGE);
    for (const id of [
      "",
      "x",
      registration.flow_id.replaceAll("-", ""),
      "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
      "\u0000",
    ]) {
      const { status } = await completeSignIn(caller(app), id, misused);
      expect([id, status]).toEqual([id, id === "" ? 400 : 401]);
    }
    // The prefixed form is the same id.
    const prefixed = toPrefixedId("flow", elsewhere.flow_id);
    expect((await completeSignIn(caller(app), prefixed, elsewhere.response)).status).toBe(200);
  });

  t.test("an answer to another flow's challenge is refused, also between two flows of one caller", async (app) => {
    const { authenticator } = await holder(app);
    const [first, second] = [await beginSignIn(caller(app)), await beginSignIn(caller(app))];
    expect(first.public_key.challenge).not.toBe(second.public_key.challenge);
    const crossed = authenticator.get(first.public_key);
    expect(refusal(await completeSignIn(caller(app), second.flow_id, crossed))).toEqual(REFUSED);
    expect((await completeSignIn(caller(app), first.flow_id, crossed)).status).toBe(200);
  });

  t.test(
    "refuses another user's credential: its id with the caller's key, and its handle with the caller's id",
    async (app) => {
      const mine = await holder(app);
      const theirs = await holder(app);
      const { flow_id, public_key } = await beginSignIn(caller(app));
      const right = mine.authenticator.get(public_key);
      const their = only(theirs.authenticator);
      const id = base64url(their.id);
      const swapped = {
        ...right,
        id,
        rawId: id,
        response: { ...right.response, userHandle: base64url(their.userHandle) },
      };
      expect(refusal(await completeSignIn(caller(app), flow_id, swapped))).toEqual(REFUSED);
      const handle = { ...right, response: { ...right.response, userHandle: base64url(their.userHandle) } };
      expect(refusal(await completeSignIn(caller(app), flow_id, handle))).toEqual(REFUSED);
      expect((await completeSignIn(caller(app), flow_id, right)).body.user.id).toBe(mine.user.id);
    },
  );

  t.test("a counter that goes back or stands still is refused and reported, because a copy exists", async (app) => {
    const authenticator = newAuthenticator({ counts: true });
    const { passkey } = await holder(app, authenticator);
    expect((await signInWith(caller(app), authenticator, { counter: 5 })).status).toBe(200);
    for (const counter of [5, 4, 0]) {
      expect([counter, ...refusal(await signInWith(caller(app), authenticator, { counter }))]).toEqual([
        counter,
        ...REFUSED,
      ]);
    }
    const told = (await app.auditEntries()).filter((entry) => entry.action === "passkey.counter_went_back");
    expect(told.map(({ target_id, details }) => [target_id, JSON.parse(details).counter])).toEqual([
      [passkey.id, 5],
      [passkey.id, 4],
      [passkey.id, 0],
    ]);
    // Only a signed counter shows a copy: anyone may send a number.
    expect(refusal(await signInWith(caller(app), authenticator, { counter: 1, bogusSignature: true }))).toEqual(
      REFUSED,
    );
    expect((await app.audit()).filter((action) => action === "passkey.counter_went_back")).toHaveLength(3);
    expect((await signInWith(caller(app), authenticator, { counter: 4_294_967_295 })).status).toBe(200);
  });

  t.test("of twenty answers with one count, each to its own challenge, one is accepted", async (app) => {
    const { authenticator } = await holder(app, newAuthenticator({ counts: true }));
    const ready = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { flow_id, public_key } = await beginSignIn(caller(app));
        return { flow_id, response: authenticator.get(public_key, { counter: 7 }) };
      }),
    );
    const answers = await Promise.all(
      ready.map(({ flow_id, response }) => completeSignIn(caller(app), flow_id, response)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ code }) => code === "invalid_code")).toHaveLength(19);
  });

  t.test("backup eligibility is fixed when a passkey is made", async (app) => {
    const { authenticator } = await holder(app, newAuthenticator({ backupEligible: false }));
    expect(refusal(await signInWith(caller(app), authenticator, { backupEligible: true }))).toEqual(REFUSED);
    expect(await app.audit()).toContain("passkey.backup_eligibility_changed");
  });

  t.test(
    "a change between challenge and answer counts: of the user, the application, the method, the passkey",
    async (app) => {
      const begun = async (authenticator: Authenticator) => {
        const { flow_id, public_key } = await beginSignIn(caller(app));
        return { flow_id, response: authenticator.get(public_key) };
      };
      const disabled = await holder(app);
      const first = await begun(disabled.authenticator);
      await app.disable("users", disabled.user.id);
      expect(refusal(await completeSignIn(caller(app), first.flow_id, first.response))).toEqual(REFUSED);

      const deleted = await holder(app);
      const second = await begun(deleted.authenticator);
      const backend = app.client().bearer(app.secretKey);
      expect((await backend.delete(`/v1/users/${deleted.user.id}`)).status).toBe(200);
      expect(refusal(await completeSignIn(caller(app), second.flow_id, second.response))).toEqual(REFUSED);
      const rows = await app.storage.read.kysely.selectFrom("passkeys").select("user_id").execute();
      expect(rows.map(({ user_id }) => user_id)).not.toContain(deleted.user.id);

      const removed = await holder(app);
      const third = await begun(removed.authenticator);
      await app.storage.write(async (tx) => {
        await tx.kysely.deleteFrom("passkeys").where("user_id", "=", removed.user.id).execute();
      });
      expect(refusal(await completeSignIn(caller(app), third.flow_id, third.response))).toEqual(REFUSED);

      const switched = await holder(app);
      const fourth = await begun(switched.authenticator);
      await app.storage.write(async (tx) => {
        const changes = { sign_in_methods: '["password"]' };
        await tx.kysely.updateTable("applications").set(changes).where("id", "=", app.applicationId).execute();
      });
      app.forget();
      expect((await completeSignIn(caller(app), fourth.flow_id, fourth.response)).code).toBe("forbidden");
      expect((await caller(app).post("/v1/auth/passkey/login/begin")).code).toBe("forbidden");

      await app.disable("applications", app.applicationId);
      expect((await completeSignIn(caller(app), fourth.flow_id, fourth.response)).code).toBe("unknown_application");
    },
  );

  t.test(
    "an unknown, a wrong and a disabled passkey give one answer, with the same reads and writes (ASVS 6.3.8)",
    async (app) => {
      const { authenticator } = await holder(app);
      const disabled = await holder(app);
      await app.disable("users", disabled.user.id);
      const stranger = newAuthenticator();
      const made = { challenge: "AA", rp: { id: "localhost" }, user: { id: "AAAA" }, pubKeyCredParams: [{ alg: -7 }] };
      stranger.create(made);
      const shows = async (who: Authenticator, quirks: Quirks = {}) => {
        const { flow_id, public_key } = await beginSignIn(caller(app));
        const response = who.get(public_key, quirks);
        const { reads, writes, statementsInWrites } = app.storage;
        const answer = await completeSignIn(caller(app), flow_id, response);
        const counted = app.storage;
        return [
          ...refusal(answer),
          answer.text.length,
          counted.reads - reads,
          counted.writes - writes,
          counted.statementsInWrites - statementsInWrites,
        ];
      };
      // The first refusal of a minute writes to the audit log, with one statement more.
      await shows(stranger);
      const expected = await shows(authenticator, { bogusSignature: true });
      expect(expected.slice(0, 3)).toEqual(REFUSED);
      expect(await shows(stranger)).toEqual(expected);
      expect(await shows(disabled.authenticator)).toEqual(expected);
    },
  );
});

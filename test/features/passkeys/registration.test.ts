import { expect } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { type Authenticator, coseKey, type Quirks, type RegistrationJson } from "../../support/authenticator.ts";
import { encodeCbor } from "../../support/cbor.ts";
import type { Answer } from "../../support/client.ts";
import {
  addPasskey,
  beginRegistration,
  beginSignIn,
  caller,
  completeRegistration,
  holder,
  newAuthenticator,
  signInWith,
} from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { firstFactor, giveTotp, own, raise, verify } from "../../support/second-factors.ts";

const base64url = (bytes: Uint8Array | string) => Buffer.from(bytes).toString("base64url");
const refusal = ({ status, code, body }: Answer) => [status, code, body.error?.message];
const REFUSED = [401, "invalid_code", "The passkey's answer is wrong, came too late, or was used before. Try again."];
const NO_CHALLENGE = [
  401,
  "invalid_code",
  "This code or link is wrong, was used before, or has expired. Ask for a new one.",
];
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
const jwk = ec.export({ format: "jwk" });
const point = { x: Buffer.from(jwk.x ?? "", "base64url"), y: Buffer.from(jwk.y ?? "", "base64url") };
const cose = (...entries: [number, number | Uint8Array][]) => ({ coseKey: encodeCbor(new Map(entries)) });
const smallRsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
const attestation = (bytes: Uint8Array) => ({ attestationObject: bytes });

/** Each answer is wrong in one thing only. */
const forged: Record<string, Quirks> = {
  "another challenge": { challenge: base64url(crypto.getRandomValues(new Uint8Array(32))) },
  "a sign-in's type": { type: "webauthn.get" },
  "foreign RP id": { rpId: "evil.example" },
  "foreign origin": { origin: "https://evil.example" },
  "in a frame of another origin": { clientData: { crossOrigin: true } },
  "in a frame, by its top": { clientData: { topOrigin: "https://app.example.com" } },
  "token binding junk": { clientData: { tokenBinding: 1 } },
  "nobody present": { userPresent: false },
  "backed up and not eligible": { backupEligible: false, backedUp: true },
  "ES384 by its number": cose([1, 2], [3, -35], [-1, 1], [-2, point.x], [-3, point.y]),
  "RS1, SHA-1": cose([1, 3], [3, -65535], [-1, Buffer.alloc(256, 0xff)], [-2, Buffer.of(1, 0, 1)]),
  "an elliptic key that says EdDSA": cose([1, 2], [3, -8], [-1, 1], [-2, point.x], [-3, point.y]),
  "an elliptic key that says RS256": cose([1, 2], [3, -257], [-1, 1], [-2, point.x], [-3, point.y]),
  "an Ed25519 key that says ES256": cose([1, 1], [3, -7], [-1, 6], [-2, point.x]),
  "another curve": cose([1, 2], [3, -7], [-1, 2], [-2, point.x], [-3, point.y]),
  "a point off the curve": cose([1, 2], [3, -7], [-1, 1], [-2, point.x], [-3, point.x]),
  "a point of zeros": cose([1, 2], [3, -7], [-1, 1], [-2, Buffer.alloc(32)], [-3, Buffer.alloc(32)]),
  "half a point": cose([1, 2], [3, -7], [-1, 1], [-2, point.x]),
  "a symmetric key": cose([1, 4], [3, 5], [-1, Buffer.alloc(32)]),
  "no algorithm": cose([1, 2], [-1, 1], [-2, point.x], [-3, point.y]),
  "a weak RSA key": { coseKey: coseKey("RS256", smallRsa) },
  "an RSA key with exponent 1": cose([1, 3], [3, -257], [-1, Buffer.alloc(256, 0xff)], [-2, Buffer.of(1)]),
  "an RSA key with an even modulus's worth of zeros": cose(
    [1, 3],
    [3, -257],
    [-1, Buffer.alloc(256)],
    [-2, Buffer.of(1, 0, 1)],
  ),
  "an RSA key of 16,384 bits": cose([1, 3], [3, -257], [-1, Buffer.alloc(2048, 0xff)], [-2, Buffer.of(1, 0, 1)]),
  "a key that is a list": { coseKey: encodeCbor([1, 2, 3]) },
  "no key": { coseKey: new Uint8Array() },
  "extra bytes after the key": { coseKey: Buffer.concat([coseKey("ES256", ec), Buffer.of(0)]) },
  "attestation by a TPM": { attestationFormat: "tpm", attestationStatement: new Map([["ver", "2.0"]]) },
  "attestation by Android": { attestationFormat: "android-safetynet", attestationStatement: new Map([["ver", "1"]]) },
  "attestation by a certificate with lists to fetch": {
    attestationFormat: "packed",
    attestationStatement: new Map<string, number | Uint8Array | Uint8Array[]>([
      ["alg", -7],
      ["sig", Buffer.alloc(70)],
      ["x5c", [Buffer.alloc(300)]],
    ]),
  },
  "a statement with the format none": { attestationStatement: new Map([["alg", -7]]) },
  "self attestation that is wrong": {
    attestationFormat: "packed",
    attestationStatement: new Map<string, number | Uint8Array>([
      ["alg", -7],
      ["sig", Buffer.alloc(70)],
    ]),
  },
  "attestation of an unknown kind": { attestationFormat: "junk" },
  "CBOR that is text": attestation(encodeCbor("attestation")),
  "CBOR that is a number": attestation(encodeCbor(1)),
  "CBOR without members": attestation(encodeCbor(new Map())),
  "CBOR with a statement that is text": attestation(
    encodeCbor(
      new Map<string, string>([
        ["fmt", "packed"],
        ["attStmt", "x"],
        ["authData", "y"],
      ]),
    ),
  ),
  "CBOR cut short": attestation(Buffer.of(0xa3, 0x63, 0x66)),
  "CBOR that claims 4 GB": attestation(Buffer.of(0x5a, 0xff, 0xff, 0xff, 0xff)),
  "CBOR of 2^32 members": attestation(Buffer.of(0xba, 0xff, 0xff, 0xff, 0xff)),
  "CBOR nested 10,000 deep": attestation(Buffer.alloc(10_000, 0x81)),
  "CBOR tags 10,000 deep": attestation(Buffer.alloc(10_000, 0xc1)),
  "CBOR of an invalid type": attestation(Buffer.of(0xff)),
  "CBOR with a member twice": attestation(Buffer.of(0xa2, 0x61, 0x61, 0x01, 0x61, 0x61, 0x01)),
};

scenarios("adding a passkey", (t) => {
  t.test("asks for a discoverable one that does not hold the person's address", async (app) => {
    const { client, user, passkey, authenticator } = await holder(app);
    const { public_key, expires_in } = await beginRegistration(
      client.bearer((await signInWith(caller(app), authenticator)).body.access_token),
    );
    const handle = Buffer.from(user.id.replaceAll("-", ""), "hex").toString("base64url");
    const [held] = authenticator.held;
    expect(public_key as unknown).toEqual({
      rp: { id: "localhost", name: "My application" },
      user: { id: handle, name: user.email, displayName: user.email },
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
      timeout: 600_000,
      excludeCredentials: [{ id: base64url(held?.id ?? ""), type: "public-key", transports: ["hybrid", "internal"] }],
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "preferred" },
      attestation: "none",
      extensions: { credProps: true },
    });
    expect(expires_in).toBe(600);
    expect(passkey).toMatchObject({ name: "Bun", transports: ["hybrid", "internal"], rp_id: "localhost" });
    expect(base64url(held?.userHandle ?? "")).toBe(handle);
  });

  t.test(
    "is recorded and mailed, and ends the other sessions everywhere and unfinished sign-ins (ASVS 6.3.7, 7.4.3)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const others = [await app.signIn(user), await app.signIn(user, app.defaultApplicationId)];
      await giveTotp(app, user);
      await raise(app, tokens.session.sid);
      const { mfa_token } = (await firstFactor(app, user)).body;
      await app.storage.write(async (tx) => {
        await tx.kysely.updateTable("user_emails").set({ verified_at: 1 }).where("user_id", "=", user.id).execute();
      });
      await app.mails();
      const client = app.client({ "user-agent": CHROME }).bearer(tokens.accessToken);
      const passkey = await addPasskey(client, newAuthenticator({ aaguid: "d548826e-79b4-db40-a3d8-11116f7e8349" }));
      expect(passkey.name).toBe("Bitwarden");
      const entry = (await app.auditEntries()).find(({ action }) => action === "passkey.added");
      expect([entry?.actor_id, entry?.target_id]).toEqual([user.id, passkey.id]);
      const mail = await app.mail(user.email);
      // The mail leaves out the name, because an attacker may have chosen it.
      expect(mail.text).toContain("added to your account at My application: passkey.\n");
      expect(mail.text).toContain("Chrome on Linux");
      expect((await client.get("/v1/auth/session")).status).toBe(200);
      for (const { accessToken } of others) {
        expect((await app.client().bearer(accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      }
      expect((await verify(own(app), mfa_token, "123456")).code).toBe("invalid_code");
      expect((await own(app).post("/v1/auth/mfa/challenge", { mfa_token })).code).toBe("invalid_code");
    },
  );

  t.test("names it after the person's choice, else its provider, its kind, or the device that made it", async (app) => {
    const names = async (settings: Partial<Authenticator["settings"]>, quirks: Quirks = {}, name?: string) => {
      const { tokens } = await app.signedIn();
      const client = app.client({ "user-agent": CHROME }).bearer(tokens.accessToken);
      const { flow_id, public_key } = await beginRegistration(client);
      const response = newAuthenticator(settings).create(public_key, quirks);
      const answer = await completeRegistration(client, flow_id, response, name);
      return answer.status === 201 ? (answer.body as unknown as { name: string }).name : answer.code;
    };
    expect(await names({}, {}, "  The blue key ")).toBe("The blue key");
    expect(await names({ aaguid: "fbfc3007-154e-4ecc-8c0b-6e020557d7bd" })).toBe("Apple Passwords");
    expect(await names({ transports: ["nfc", "usb"] })).toBe("Security key");
    expect(await names({ transports: ["hybrid"] })).toBe("Phone or tablet");
    expect(await names({ transports: ["internal"] })).toBe("Chrome on Linux");
    expect(await names({}, { transports: undefined })).toBe("Chrome on Linux");
    expect(await names({}, { transports: ["USB\n<b>", "__proto__", "internal"] })).toBe("Chrome on Linux");
    for (const name of ["", " ", "a\u0000b", "x".repeat(101)]) expect(await names({}, {}, name)).toBe("invalid_input");
    const rows = await app.storage.read.kysely.selectFrom("passkeys").select("transports").execute();
    expect(rows.map(({ transports }) => transports)).toContain('["internal"]');
    expect(rows.map(({ transports }) => transports).join()).not.toContain("proto");
  });

  t.test(
    "a wrong answer is refused for each fault alone, and stores nothing (ASVS 6.6.2)",
    async (app) => {
      const { tokens } = await app.signedIn();
      const client = app.client().bearer(tokens.accessToken);
      for (const [name, quirks] of Object.entries(forged)) {
        const { flow_id, public_key } = await beginRegistration(client);
        const answer = await completeRegistration(client, flow_id, newAuthenticator().create(public_key, quirks));
        expect([name, ...refusal(answer)]).toEqual([name, ...REFUSED]);
      }
      expect(await app.storage.read.kysely.selectFrom("passkeys").select("id").execute()).toEqual([]);
      expect(await app.audit()).not.toContain("passkey.added");
    },
    { settings: { limit_network: "1000/1m" } },
  );

  t.test("malformed requests are refused before any parsing", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const { flow_id, public_key } = await beginRegistration(client);
    const right = newAuthenticator().create(public_key);
    const inResponse = (changes: object) => ({ ...right, response: { ...right.response, ...changes } });
    for (const response of [
      undefined,
      null,
      [],
      { ...right, type: 1 },
      { ...right, id: "" },
      inResponse({ attestationObject: "A".repeat(17_000) }),
      inResponse({ attestationObject: "=" }),
      inResponse({ clientDataJSON: 1 }),
      inResponse({ transports: "usb" }),
      inResponse({ transports: Array.from({ length: 17 }, () => "usb") }),
    ]) {
      expect((await client.post("/v1/me/passkeys/complete", { flow_id, response })).code).toBe("invalid_input");
    }
    const whole = { flow_id, response: right };
    for (const extra of [{ user_id: tokens.session.user_id }, { rp_id: "x" }, { counter: 1 }, { is_backed_up: true }]) {
      expect((await client.post("/v1/me/passkeys/complete", { ...whole, ...extra })).code).toBe("invalid_input");
    }
    const other = { ...right, id: base64url("another"), rawId: base64url("another") };
    expect(refusal(await completeRegistration(client, flow_id, other))).toEqual(REFUSED);
    expect(refusal(await completeRegistration(client, flow_id, { ...right, type: "password" }))).toEqual(REFUSED);
    expect((await completeRegistration(client, flow_id, right)).status).toBe(201);
  });

  t.test("self attestation is accepted if it is right: the standard lets browsers pass it on", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const { flow_id, public_key } = await beginRegistration(client);
    const response = newAuthenticator().createSelfAttested(public_key);
    expect((await completeRegistration(client, flow_id, response)).status).toBe(201);
  });

  t.test("attestation by a certificate is refused even if it is right, because nobody asked for it", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const { flow_id, public_key } = await beginRegistration(client);
    const response = newAuthenticator().createByCertificate(public_key);
    expect(refusal(await completeRegistration(client, flow_id, response))).toEqual(REFUSED);
  });

  t.test("a challenge works once, for its own user, application and purpose", async (app) => {
    const mine = await app.signedIn();
    const theirs = await app.signedIn();
    const [me, them] = [mine, theirs].map(({ tokens }) => app.client().bearer(tokens.accessToken));
    if (!me || !them) throw new Error("two were signed in");
    const { flow_id, public_key } = await beginRegistration(me);
    const authenticator = newAuthenticator();
    const response = authenticator.create(public_key);
    expect(refusal(await completeRegistration(them, flow_id, response))).toEqual(NO_CHALLENGE);
    const twin = await app.signIn(mine.user, await app.application());
    expect(refusal(await completeRegistration(app.client().bearer(twin.accessToken), flow_id, response))).toEqual(
      NO_CHALLENGE,
    );
    const signIn = await beginSignIn(caller(app));
    const misused = newAuthenticator().create({ ...public_key, challenge: signIn.public_key.challenge });
    expect(refusal(await completeRegistration(me, signIn.flow_id, misused))).toEqual(NO_CHALLENGE);
    expect((await completeRegistration(me, flow_id, response)).status).toBe(201);
    // Now there is a second factor: this session must prove it before it adds another one.
    expect((await completeRegistration(me, flow_id, response)).code).toBe("insufficient_user_authentication");
    const proven = me.bearer((await signInWith(caller(app), authenticator)).body.access_token);
    expect(refusal(await completeRegistration(proven, flow_id, response))).toEqual(NO_CHALLENGE);
    const late = await beginRegistration(proven);
    app.clock.advance(10 * 60_000 + 1);
    const fresh = me.bearer((await signInWith(caller(app), authenticator)).body.access_token);
    const answer = newAuthenticator().create(late.public_key);
    expect(refusal(await completeRegistration(fresh, late.flow_id, answer))).toEqual(NO_CHALLENGE);
  });

  t.test("a registered credential is refused, to its owner and to others", async (app) => {
    const { authenticator, client } = await holder(app);
    const [credential] = authenticator.held;
    if (!credential) throw new Error("nothing is held");
    const { user, tokens } = await app.signedIn();
    const stranger = app.client().bearer(tokens.accessToken);
    const { flow_id, public_key } = await beginRegistration(stranger);
    // Another key under the victim's id: the row would decide whom the next sign-in by that id signs in.
    const stolen = newAuthenticator().create(public_key, { credentialId: credential.id });
    const refused = await completeRegistration(stranger, flow_id, stolen);
    expect(refusal(refused)).toEqual([409, "conflict", "This passkey is already registered."]);
    expect((await signInWith(caller(app), authenticator)).body.user.id).not.toBe(user.id);
    const again = client.bearer((await signInWith(caller(app), authenticator)).body.access_token);
    const own = await beginRegistration(again);
    expect(() => authenticator.create(own.public_key)).toThrow("InvalidStateError");
    const forced = authenticator.create({ ...own.public_key, excludeCredentials: [] }, { credentialId: credential.id });
    expect((await completeRegistration(again, own.flow_id, forced)).code).toBe("conflict");
    authenticator.held.pop();
    // Another tenant is separate: the same id is free there.
    const acme = await app.tenant("acme");
    const foreign = await app.signIn(await app.user(undefined, acme.id), acme.applicationId);
    const there = app.client().bearer(foreign.accessToken);
    const begun = await beginRegistration(there);
    const made = newAuthenticator({ origin: "https://acme.example" }).create(begun.public_key, {
      credentialId: credential.id,
    });
    expect((await completeRegistration(there, begun.flow_id, made)).status).toBe(201);
    expect((await signInWith(caller(app), authenticator)).status).toBe(200);
  });

  t.test(
    "an account has at most ten: the eleventh is refused, also when twenty come at once",
    async (app) => {
      const { user } = await app.signedIn();
      // One session with a second factor, because the first passkey ends other sessions and shuts weaker ones out.
      const { accessToken } = await app.signIn(user, app.applicationId, "aal2");
      const client = app.client().bearer(accessToken);
      const ready: { flow_id: string; response: RegistrationJson }[] = [];
      for (let i = 0; i < 20; i++) {
        const { flow_id, public_key } = await beginRegistration(client);
        ready.push({ flow_id, response: newAuthenticator().create(public_key) });
      }
      const answers = await Promise.all(
        ready.map(({ flow_id, response }) => completeRegistration(client, flow_id, response)),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(201), ...Array(10).fill(409)]);
      const rows = await app.storage.read.kysely.selectFrom("passkeys").select("id").execute();
      expect(rows).toHaveLength(10);
      const refused = await client.post("/v1/me/passkeys/begin");
      expect([refused.status, refused.code]).toEqual([409, "conflict"]);
      // The refused requests have not spent their challenges and stored nothing.
      const spent = await app.storage.read.kysely
        .selectFrom("flows")
        .select("id")
        .where("consumed_at", "is not", null)
        .execute();
      expect(spent).toHaveLength(10);
    },
    { settings: { limit_network: "1000/1m" } },
  );

  t.test("of twenty completions of one challenge at once, one adds a passkey", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const { flow_id, public_key } = await beginRegistration(client);
    const responses = Array.from({ length: 20 }, () => newAuthenticator().create(public_key));
    const answers = await Promise.all(responses.map((response) => completeRegistration(client, flow_id, response)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  t.test("needs a fresh session, with the second factor if the user has one (ASVS 7.5.1, 7.5.3)", async (app) => {
    const { client, user, authenticator } = await holder(app);
    // The session is by password alone, and there is a passkey now.
    expect((await client.post("/v1/me/passkeys/begin")).code).toBe("insufficient_user_authentication");
    const proven = client.bearer((await signInWith(caller(app), authenticator)).body.access_token);
    const { flow_id, public_key } = await beginRegistration(proven);
    const response = newAuthenticator().create(public_key);
    app.clock.advance(601_000);
    const late = await proven.post("/v1/me/passkeys/begin");
    expect([late.status, late.code, late.headers.get("www-authenticate")]).toEqual([
      401,
      "insufficient_user_authentication",
      'Bearer error="insufficient_user_authentication", max_age="600"',
    ]);
    expect((await completeRegistration(proven, flow_id, response)).code).toBe("insufficient_user_authentication");
    await app.disable("users", user.id);
    expect((await proven.post("/v1/me/passkeys/begin")).code).toBe("token_revoked");
  });

  t.test(
    "an application without a use for passkeys takes none; one with passkeys as second factor takes them",
    async (app) => {
      const { user } = await app.signedIn();
      for (const [mfa, status] of [
        ["off", 403],
        ["optional", 200],
      ] as const) {
        const id = await app.application({ sign_in_methods: ["password"], mfa });
        const client = app.client().bearer((await app.signIn(user, id)).accessToken);
        expect([mfa, (await client.post("/v1/me/passkeys/begin")).status]).toEqual([mfa, status]);
      }
    },
  );
});

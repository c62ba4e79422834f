import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { type Enrolled, enrolled, firstFactor, own, ownPage, policy, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

const DAY = 86_400_000;
const REMEMBER = { mfa_remember: 30 * 86_400 };

async function remember(app: TestApp, { user, secret }: Enrolled, client = own(app)) {
  const { mfa_token } = (await firstFactor(app, user, client)).body;
  app.clock.advance(30_000);
  const answer = await verify(client, mfa_token, totp(secret, app.clock.now()), { remember_device: true });
  expect(answer.status).toBe(200);
  return answer;
}

const signIn = (app: TestApp, user: TestUser, trusted_device: string | null, client = own(app)) =>
  client.post("/v1/auth/login", { ...user.login, trusted_device });

scenarios("remembered devices", (t) => {
  t.test("are not asked again, and their session stays a session of one factor", async (app) => {
    await policy(app, REMEMBER);
    const person = await enrolled(app);
    const device = (await remember(app, person)).body.trusted_device;
    expect(device).toMatch(/^sally_td_/);
    const again = await signIn(app, person.user, device);
    expect(again.body.status).toBe("success");
    expect(claimsOf(again.body.access_token)).toMatchObject({ aal: "aal1", amr: ["pwd"] });
    expect((await signIn(app, person.user, null)).body.status).toBe("mfa_required");
    // A procedure that needs two factors asks for the second one here too.
    const step = await app.client().bearer(again.body.access_token).post("/v1/auth/mfa/disable");
    expect(step.code).toBe("insufficient_user_authentication");
    expect(await app.audit()).toContain("trusted_device.added");
  });

  t.test("the owner gets a mail about each remembered device, and a step-up makes no device known", async (app) => {
    await policy(app, REMEMBER);
    const person = await enrolled(app);
    await proveAddress(app, person.user.id);
    const page = ownPage(app);
    await remember(app, person, page);
    const mail = (await app.mails(person.user.email)).find(({ template }) => template === "trusted_device_added");
    expect(mail?.text).toContain("it signs in without the second step from now on");
    expect(mail?.text).toContain("Network address: 127.0.0.1");
    // Signing in on that device again tells nothing.
    expect((await firstFactor(app, person.user, page)).body.status).toBe("success");
    expect(await app.mails()).toEqual([]);
    // A thief of the session steps up with a code: the thief's browser gets no cookie of a known device.
    const begun = (await firstFactor(app, person.user, page)).body.access_token;
    const thief = app.page(app.publicUrl).bearer(begun);
    app.clock.advance(30_000);
    const stepped = await thief.post("/v1/auth/mfa/verify", {
      method: "totp",
      code: totp(person.secret, app.clock.now()),
    });
    expect([stepped.status, stepped.cookies.some(({ name }) => name.includes("_dv"))]).toEqual([200, false]);
  });

  t.test(
    "a page keeps the secret in an HttpOnly cookie only, which outlives its sign-out (ASVS 3.3.1, 3.3.4)",
    async (app) => {
      await policy(app, REMEMBER);
      const person = await enrolled(app);
      const page = ownPage(app);
      const answer = await remember(app, person, page);
      expect(answer.body.trusted_device).toBeNull();
      const cookie = answer.cookies.find(({ name }) => name.startsWith("sallyport_td"));
      expect(cookie?.attributes).toMatchObject({
        httponly: "",
        samesite: "Lax",
        path: "/v1/auth",
        "max-age": "2592000",
      });
      await page.post("/v1/auth/logout");
      expect((await firstFactor(app, person.user, page)).body.status).toBe("success");
      expect((await firstFactor(app, person.user, ownPage(app))).body.status).toBe("mfa_required");
    },
  );

  t.test("remembers a device only if the application does so and the request asks for it", async (app) => {
    const person = await enrolled(app);
    const bare = await remember(app, person);
    expect(["trusted_device" in bare.body, bare.cookies.length]).toEqual([false, 3]);
    await policy(app, REMEMBER);
    const { mfa_token } = (await firstFactor(app, person.user)).body;
    app.clock.advance(30_000);
    const unasked = await verify(own(app), mfa_token, totp(person.secret, app.clock.now()));
    expect(["trusted_device" in unasked.body, unasked.cookies.length]).toEqual([false, 3]);
    const devices = await app.storage.read.kysely.selectFrom("trusted_devices").select("id").execute();
    expect(devices).toEqual([]);
    // A device that was remembered earlier does not count once the application remembers none.
    const device = (await remember(app, person)).body.trusted_device;
    await policy(app, { mfa_remember: 0 });
    expect((await signIn(app, person.user, device)).body.status).toBe("mfa_required");
  });

  t.test("do not count for another user or application, altered, or after their time", async (app) => {
    await policy(app, REMEMBER);
    const person = await enrolled(app);
    const other = await enrolled(app);
    const device = (await remember(app, person)).body.trusted_device ?? "";
    const theirs = (await remember(app, other)).body.trusted_device ?? "";
    const elsewhere = await app.application(REMEMBER);
    const asks = async (secret: string, client = own(app)) =>
      (await signIn(app, person.user, secret, client)).body.status;
    expect(await asks(theirs)).toBe("mfa_required");
    expect(await asks(device, app.client({ "x-application-id": elsewhere }))).toBe("mfa_required");
    const digit = device.at(40) === "a" ? "b" : "a";
    expect(await asks(device.slice(0, 40) + digit + device.slice(41))).toBe("mfa_required");
    for (const none of [device.toUpperCase(), "x", app.secretKey, `${device} `])
      expect(await asks(none)).toBe("mfa_required");
    expect(await asks(device)).toBe("success");
    app.clock.advance(30 * DAY - 31_000);
    expect(await asks(device)).toBe("success");
    app.clock.advance(60_000);
    expect(await asks(device)).toBe("mfa_required");
  });

  t.test("end with a change of the password or the factor, and with its removal (ASVS 7.4.3)", async (app) => {
    await policy(app, REMEMBER);
    const changes: Record<string, (token: string, person: Enrolled) => Promise<unknown>> = {
      password: (token, { user }) =>
        app.client().bearer(token).post("/v1/auth/password/change", {
          current_password: user.login.password,
          new_password: "granite-lantern-moth-88",
        }),
      factor: async (token) => {
        const client = app.client().bearer(token);
        const { secret } = (await client.post("/v1/auth/mfa/setup")).body;
        return client.post("/v1/auth/mfa/enable", { code: totp(secret ?? "", app.clock.now()) });
      },
      removal: (token) => app.client().bearer(token).post("/v1/auth/mfa/disable"),
    };
    for (const [name, change] of Object.entries(changes)) {
      const person = await enrolled(app);
      const { body } = await remember(app, person);
      expect((await signIn(app, person.user, body.trusted_device)).body.status).toBe("success");
      const answer = (await change(body.access_token, person)) as { status: number };
      expect([name, answer.status]).toEqual([name, 200]);
      const devices = await app.storage.read.kysely.selectFrom("trusted_devices").select("id").execute();
      expect([name, devices]).toEqual([name, []]);
    }
  });

  t.test("are remembered by the set-up itself, and by a step-up", async (app) => {
    await policy(app, REMEMBER);
    const { user, tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const secret = (await client.post("/v1/auth/mfa/setup")).body.secret ?? "";
    const code = totp(secret, app.clock.now());
    const enabled = await client.post("/v1/auth/mfa/enable", { code, remember_device: true });
    expect((await signIn(app, user, enabled.body.trusted_device)).body.status).toBe("success");
    const weak = await signIn(app, user, enabled.body.trusted_device);
    app.clock.advance(30_000);
    const body = { method: "totp", code: totp(secret, app.clock.now()), remember_device: true };
    const step = await app.client().bearer(weak.body.access_token).post("/v1/auth/mfa/verify", body);
    expect(claimsOf(step.body.access_token).aal).toBe("aal2");
    expect((await signIn(app, user, step.body.trusted_device)).body.status).toBe("success");
  });

  t.test("do not skip a required set-up", async (app) => {
    await policy(app, REMEMBER);
    const person = await enrolled(app);
    const device = (await remember(app, person)).body.trusted_device;
    await app.storage.write(async (tx) => {
      await tx.kysely.deleteFrom("totp_factors").execute();
      await tx.kysely.deleteFrom("recovery_codes").execute();
    });
    await policy(app, { mfa: "required" });
    expect((await signIn(app, person.user, device)).body).toMatchObject({
      status: "mfa_required",
      setup_required: true,
    });
  });
});

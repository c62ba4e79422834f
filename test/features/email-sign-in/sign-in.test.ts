import { expect } from "bun:test";
import { allowMail, askForMail, completeBy, MAIL_METHODS, mailTo, proofFor } from "../../support/mailed-links.ts";
import { scenarios } from "../../support/scenarios.ts";
import { APP_ORIGIN } from "../../support/template.ts";
import { claimsOf } from "../../support/tokens.ts";

const MINUTE = 60_000;

scenarios("sign-in by a mailed link or code", (t) => {
  t.test("a link signs in: one mail to the stored address, a proven address, one factor", async (app) => {
    await allowMail(app);
    const user = await app.user("Ada@example.com");
    const { answer, flowId, mail } = await askForMail(app, "Ada@example.com");
    expect([answer.status, answer.body]).toEqual([202, { status: "sent", flow_id: flowId, expires_in: 600 } as never]);
    expect(mail?.template).toBe("sign_in_link");
    expect(mail?.text).toContain(`${app.publicUrl}/link#${mail?.link}`);
    const signedIn = await completeBy(app.client(), { token: mail?.link, flow_id: flowId });
    expect([signedIn.status, signedIn.body.user.id, signedIn.body.user.email_verified]).toEqual([200, user.id, true]);
    expect(claimsOf(signedIn.body.access_token)).toMatchObject({
      sub: user.id,
      aal: "aal1",
      auth_method: "magic_link",
      amr: ["otp"],
      email_verified: true,
    });
    const session = await app.client().bearer(signedIn.body.access_token).get("/v1/auth/session");
    expect(session.body.session).toMatchObject({ auth_method: "magic_link", aal: "aal1" });
    expect(await app.audit()).toContain("session.created");
  });

  t.test("takes the address in any case; the mail goes to the stored spelling", async (app) => {
    await allowMail(app);
    await app.user("Ada@example.com");
    for (const email of [" aDA@EXAMPLE.com ", "ＡＤＡ@example.com"]) {
      expect((await askForMail(app, email)).answer.status).toBe(202);
    }
    expect((await app.mails()).map(({ to }) => to)).toEqual(["Ada@example.com", "Ada@example.com"]);
  });

  t.test("the code in a link's mail signs in on another device, in any spelling", async (app) => {
    await allowMail(app);
    const user = await app.user();
    for (const write of [
      (code: string) => code,
      (code: string) => code.replace(" ", ""),
      (code: string) => ` ${code.replace(" ", "-")} `,
    ]) {
      const { flowId, code } = await mailTo(app, user.email);
      const signedIn = await completeBy(app.client(), { flow_id: flowId, code: write(code) });
      expect([signedIn.status, claimsOf(signedIn.body.access_token).auth_method]).toEqual([200, "magic_link"]);
    }
  });

  t.test("a mailed code comes without a link, and the token names its own method", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const { flowId, code, link, mail } = await mailTo(app, user.email, "email_code");
    expect(link).toBe("");
    expect(mail.text).not.toContain("http");
    expect(mail.html).not.toContain("href");
    const signedIn = await completeBy(app.client(), { flow_id: flowId, code });
    expect(claimsOf(signedIn.body.access_token)).toMatchObject({ auth_method: "email_code", amr: ["otp"] });
  });

  t.test("each method is switched on alone; new applications have neither (ASVS 6.3.6)", async (app) => {
    const user = await app.user();
    const start = (method: string) => app.client().post("/v1/auth/email/start", { email: user.email, method });
    for (const method of MAIL_METHODS) expect((await start(method)).code).toBe("forbidden");
    for (const [on, off] of [MAIL_METHODS, [...MAIL_METHODS].reverse()]) {
      await allowMail(app, [String(on)]);
      expect([(await start(String(on))).status, (await start(String(off))).status]).toEqual([202, 403]);
    }
    expect(await app.mails(user.email)).toHaveLength(2);
  });

  t.test("a page gets cookies and no refresh token; its earlier session ends", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const first = await completeBy(page, { token: (await mailTo(app, user.email, "magic_link", page)).link });
    expect([first.status, first.body.refresh_token, first.cookies.length]).toEqual([200, null, 3]);
    const second = await completeBy(page, { token: (await mailTo(app, user.email, "magic_link", page)).link });
    expect(second.status).toBe(200);
    const before = await app.client().bearer(first.body.access_token).get("/v1/auth/session");
    expect(before.code).toBe("token_revoked");
    const memory = { token: (await mailTo(app, user.email, "magic_link", page)).link, delivery: "memory" };
    const names = (await completeBy(page, memory)).cookies.map(({ name }) => name.slice(0, 12));
    expect(names).toEqual(["sallyport_rt", "sallyport_dv"]);
  });

  t.test("checks audience and organization as any sign-in does, and the link survives a mistake", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const proof = await proofFor(app, user.email);
    const foreign = await completeBy(app.client(), { ...proof, audience: "https://other.example" });
    const organization = await completeBy(app.client(), { ...proof, organization: "acme" });
    expect([foreign.status, organization.status]).toEqual([400, 400]);
    expect((await completeBy(app.client(), proof)).status).toBe(200);
  });

  t.test("a tenant's link names its own issuer, and works under its path", async (app) => {
    const acme = await app.tenant("acme");
    await allowMail(app);
    const user = await app.user("ada@example.com", acme.id);
    const body = { email: user.email, method: "magic_link" };
    const started = await app.client().post("/t/acme/v1/auth/email/start", body);
    expect(started.status).toBe(202);
    const mail = await app.mail(user.email);
    expect(mail.text).toContain(`${acme.issuer}/link#${mail.link}`);
    const described = await app.client().post("/t/acme/v1/auth/link", { token: mail.link });
    expect(described.body as unknown).toMatchObject({
      application: { id: acme.defaultApplicationId, name: "Default" },
    });
    const signedIn = await app.client().post("/t/acme/v1/auth/email/complete", {
      token: mail.link,
      flow_id: started.body.flow_id,
    });
    expect([signedIn.status, claimsOf(signedIn.body.access_token).iss]).toEqual([200, acme.issuer]);
  });

  t.test("describes what a link would do without doing it, and without the whole address", async (app) => {
    await allowMail(app);
    const user = await app.user("ada.lovelace@example.com");
    const application = { home_url: "https://app.example.com/home" };
    await app.storage.write(async (tx) => {
      await tx.kysely.updateTable("applications").set(application).execute();
    });
    app.forget();
    const page = app.page(app.publicUrl);
    const { link } = await mailTo(app, user.email, "magic_link", page);
    const state = await app.state();
    for (let i = 0; i < 10; i++) {
      const described = await page.post("/v1/auth/link", { token: link });
      expect([described.status, described.body as unknown]).toEqual([
        200,
        {
          kind: "sign_in",
          email: "a•••@example.com",
          application: { id: app.defaultApplicationId, name: "Default", ...application },
          expires_at: new Date(app.clock.now() + 10 * MINUTE).toISOString(),
          works_here: true,
          account: "a•••@example.com",
          asked_at: new Date(app.clock.now()).toISOString(),
          asked_by: "Bun",
        },
      ]);
      expect(described.cookies).toEqual([]);
      expect(described.text).not.toContain("lovelace");
    }
    expect(await app.state()).toBe(state);
    expect((await completeBy(page, { token: link })).status).toBe(200);
  });

  t.test("works for ten minutes only (ASVS 6.5.5)", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const late = await mailTo(app, user.email);
    app.clock.advance(10 * MINUTE - 1);
    expect((await completeBy(app.client(), { token: late.link, flow_id: late.flowId })).status).toBe(200);
    const dead = await mailTo(app, user.email);
    app.clock.advance(10 * MINUTE);
    expect((await completeBy(app.client(), { token: dead.link, flow_id: dead.flowId })).code).toBe("invalid_code");
    expect((await completeBy(app.client(), { flow_id: dead.flowId, code: dead.code })).code).toBe("invalid_code");
    expect((await app.client().post("/v1/auth/link", { token: dead.link })).code).toBe("invalid_code");
  });
});

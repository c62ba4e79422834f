import { expect } from "bun:test";
import { parseSecret } from "../../../src/crypto/secrets.ts";
import { endEverySession } from "../../../src/identity/restoration.ts";
import type { TestApp } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { allowMail, completeBy, mailTo, proofFor } from "../../support/mailed-links.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";

const describe = (client: Client, token: string) => client.post("/v1/auth/link", { token });
const worksHere = async (client: Client, token: string) =>
  ((await describe(client, token)).body as unknown as { works_here: boolean }).works_here;

async function sessionsOf(app: TestApp): Promise<number> {
  return (await app.storage.read.kysely.selectFrom("sessions").select("id").execute()).length;
}

/** Signs a user in by a mailed code, without a cookie. */
async function signedInByCode(app: TestApp, email: string): Promise<Client> {
  const { flowId, code } = await mailTo(app, email, "email_code");
  const answer = await completeBy(app.client(), { flow_id: flowId, code });
  expect(answer.status).toBe(200);
  return app.client().bearer(answer.body.access_token);
}

scenarios("a link to sign in works only in the browser that asked for it", (t) => {
  t.test("another browser is not signed in, uses nothing up, and is told where the link works", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const asking = app.page(app.publicUrl);
    const other = app.page(app.publicUrl);
    const { link, flowId, code } = await mailTo(app, user.email, "magic_link", asking);
    expect(await worksHere(other, link)).toBe(false);
    const refused = await completeBy(other, { token: link });
    expect([refused.status, refused.code, refused.cookies]).toEqual([401, "invalid_code", []]);
    expect(refused.body.error.message).toContain("only in the browser that asked for it");
    expect(await sessionsOf(app)).toBe(0);
    // The refusal also holds for a right link together with the wrong flow.
    const foreign = await mailTo(app, (await app.user()).email, "magic_link", other);
    expect((await completeBy(other, { token: link, flow_id: foreign.flowId })).code).toBe("invalid_code");
    expect(await worksHere(asking, link)).toBe(true);
    expect((await completeBy(asking, { token: link })).status).toBe(200);
    expect((await completeBy(asking, { flow_id: flowId, code })).code).toBe("invalid_code");
  });

  t.test("login CSRF: a victim who opens the attacker's link stays out of the attacker's account", async (app) => {
    await allowMail(app);
    const attacker = await app.user("attacker@example.com");
    const victim = await app.user("victim@example.com");
    const theirs = await mailTo(app, attacker.email, "magic_link", app.page(app.publicUrl));
    const browser = app.page(app.publicUrl);
    expect((await completeBy(browser, { token: theirs.link })).code).toBe("invalid_code");
    // A mail that the victim asked for does not open the browser for the attacker's link.
    const own = await mailTo(app, victim.email, "magic_link", browser);
    expect((await completeBy(browser, { token: theirs.link })).code).toBe("invalid_code");
    expect(await worksHere(browser, theirs.link)).toBe(false);
    const signedIn = await completeBy(browser, { token: own.link });
    expect([signedIn.status, signedIn.body.user.id]).toEqual([200, victim.id]);
  });

  t.test("an attacker who asks in the victim's name gets nothing when the victim opens the link", async (app) => {
    await allowMail(app);
    const victim = await app.user();
    const attacker = app.page(app.publicUrl);
    const browser = app.page(app.publicUrl);
    const { flowId, link } = await mailTo(app, victim.email, "magic_link", attacker);
    expect(await worksHere(browser, link)).toBe(false);
    const described = await describe(browser, link);
    // The page that the victim sees holds nothing that the victim could read out to the attacker.
    expect(described.text).not.toContain(flowId);
    expect((await completeBy(browser, { token: link })).code).toBe("invalid_code");
    for (const guess of [{ flow_id: flowId, code: "" }, { token: flowId }, { token: link.slice(0, -6) }]) {
      expect([401, 400]).toContain((await completeBy(attacker, guess)).status);
    }
    expect(await sessionsOf(app)).toBe(0);
  });

  t.test("a thief who reads the mail, its link and its code, cannot find the flow that they need", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const { flowId, link, code, mail } = await mailTo(app, user.email, "magic_link", app.page(app.publicUrl));
    const inLink = parseSecret("ml", link)?.keyId ?? "";
    expect(inLink).toHaveLength(36);
    expect(inLink).not.toBe(flowId);
    expect(mail.text + mail.html).not.toContain(flowId);
    const thief = app.page(app.publicUrl);
    for (const proof of [
      { token: link },
      { flow_id: inLink, code },
      { token: link, flow_id: inLink },
      { token: link, flow_id: crypto.randomUUID() },
    ]) {
      expect((await completeBy(thief, proof)).code).toBe("invalid_code");
    }
    expect(await sessionsOf(app)).toBe(0);
    expect((await completeBy(app.client(), { flow_id: flowId, code })).status).toBe(200);
  });

  t.test(
    "a browser that asks again may open any of its last four mails, and a broken cookie opens none",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      const browser = app.page(app.publicUrl);
      const links: string[] = [];
      for (let i = 0; i < 5; i++) links.push((await mailTo(app, user.email, "magic_link", browser)).link);
      const works = [];
      for (const link of links) works.push(await worksHere(browser, link));
      expect(works).toEqual([false, true, true, true, true]);
      const cookie = browser.jar?.get("sallyport_ma");
      expect(cookie?.attributes).toEqual({ path: "/", "max-age": "600", httponly: "", samesite: "Lax" });
      for (const value of [
        "",
        ".",
        "....",
        "x",
        "%00",
        "A".repeat(5_000),
        `${cookie?.value}x`,
        cookie?.value.slice(0, 21),
      ]) {
        const broken = app.client({ cookie: `sallyport_ma=${value}` });
        const described = await describe(broken, links[4] ?? "");
        expect([value, described.status]).toEqual([value, 200]);
        expect((await completeBy(broken, { token: links[0] })).code).toBe("invalid_code");
      }
      expect((await completeBy(browser, { token: links[1] })).status).toBe(200);
    },
  );

  t.test(
    "under https no sibling host can set the cookie, and each application has its own",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      const body = { email: user.email, method: "magic_link" };
      const names = async (client: Client) =>
        (await client.post("/v1/auth/email/start", body)).cookies.map(({ name, attributes }) => [name, attributes]);
      const attributes = { path: "/", "max-age": "600", httponly: "", samesite: "Lax", secure: "" };
      expect(await names(app.client())).toEqual([["__Host-sallyport_ma", attributes]]);
      const suffix = app.applicationId.slice(-12);
      expect(await names(app.client({ "x-application-id": app.applicationId }))).toEqual([
        [`__Host-sallyport_ma_${suffix}`, attributes],
      ]);
    },
    { publicUrl: "https://auth.example.com" },
  );
});

scenarios("older mails to sign in end", (t) => {
  t.test("when a newer one is used, in this application and for this user only", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const other = await app.user();
    // The first proof of an address ends every flow from before it.
    await proveAddress(app, user.id);
    const older = await proofFor(app, user.email);
    const code = await mailTo(app, user.email, "email_code");
    const theirs = await proofFor(app, other.email);
    const elsewhere = app.client({ "x-application-id": app.applicationId });
    const kept = await mailTo(app, user.email, "magic_link", elsewhere);
    const newer = await proofFor(app, user.email);
    expect((await completeBy(app.client(), newer)).status).toBe(200);
    expect((await completeBy(app.client(), older)).code).toBe("invalid_code");
    expect((await describe(app.client(), older.token)).code).toBe("invalid_code");
    expect((await completeBy(app.client(), { flow_id: code.flowId, code: code.code })).code).toBe("invalid_code");
    expect((await completeBy(app.client(), theirs)).status).toBe(200);
    expect((await completeBy(elsewhere, { token: kept.link, flow_id: kept.flowId })).status).toBe(200);
  });

  t.test("when the user signs out everywhere, in every application; one sign-out ends none", async (app) => {
    await allowMail(app);
    const user = await app.user();
    await proveAddress(app, user.id);
    const first = await signedInByCode(app, user.email);
    const elsewhere = app.client({ "x-application-id": app.applicationId });
    const pending = await proofFor(app, user.email);
    const foreign = await mailTo(app, user.email, "magic_link", elsewhere);
    expect((await first.post("/v1/auth/logout", { all: false })).status).toBe(200);
    expect((await describe(app.client(), pending.token)).status).toBe(200);
    const login = await app.client().post("/v1/auth/login", user.login);
    const second = app.client().bearer(login.body.access_token);
    expect((await second.post("/v1/auth/logout", { all: true })).status).toBe(200);
    expect((await completeBy(app.client(), pending)).code).toBe("invalid_code");
    const proof = { token: foreign.link, flow_id: foreign.flowId };
    expect((await completeBy(elsewhere, proof)).code).toBe("invalid_code");
  });

  t.test("when the user ends all other sessions, and when a restored backup ends every session", async (app) => {
    await allowMail(app);
    const user = await app.user();
    for (const end of [
      async () => {
        const login = await app.client().post("/v1/auth/login", user.login);
        return app.client().bearer(login.body.access_token).delete("/v1/auth/sessions");
      },
      () => endEverySession(app.identity),
    ]) {
      const pending = await proofFor(app, user.email);
      await end();
      expect((await completeBy(app.client(), pending)).code).toBe("invalid_code");
    }
  });
});

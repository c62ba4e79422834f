import { expect } from "bun:test";
import type { Answer } from "../../support/client.ts";
import { session, setApplication, verifyPrimary } from "../../support/mail-proofs.ts";
import { allowMail } from "../../support/mailed-links.ts";
import { backend } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const REASON =
  "must have only the letters a to z, digits and ASCII signs before the @, because many mail servers refuse others";
const USUAL = "must be one e-mail address such as ada@example.com";

scenarios("an address with other letters before the @ (SMTPUTF8)", (t) => {
  t.test("is refused with one sentence by every call that takes an address, and no mail goes out", async (app) => {
    await allowMail(app);
    await setApplication(app, app.applicationId, { sign_up: "verified" });
    const user = await app.user();
    await verifyPrimary(app, user);
    const own = app.client({ "x-application-id": app.applicationId });
    const signedIn = await session(app, user);
    await app.mails();
    const calls: Record<string, (email: string) => Promise<Answer>> = {
      "sign-up": (email) => own.post("/v1/auth/register", { email, password: PASSWORD }),
      link: (email) => own.post("/v1/auth/email/start", { email, method: "magic_link" }),
      "forgotten password": (email) => own.post("/v1/auth/password/forgot", { email }),
      "another address": (email) => signedIn.post("/v1/me/emails", { email }),
      backend: (email) => backend(app).post("/v1/users", { email }),
    };
    const written = await app.mailsWritten();
    for (const [name, call] of Object.entries(calls)) {
      for (const [email, reason] of [
        ["jürgen@example.com", REASON],
        ["用户@例子.测试", REASON],
        // The same letter, composed of two characters.
        ["ju\u0308rgen@example.com", REASON],
        ["jürgen", USUAL],
        ["jürgen@x@example.com", USUAL],
        ["ada", USUAL],
      ]) {
        const { status, code, body } = await call(email ?? "");
        const details = [{ path: "email", reason }];
        expect([name, email, status, code, body.error?.details]).toEqual([name, email, 400, "invalid_input", details]);
      }
    }
    expect(await app.mailsWritten()).toBe(written);
    // Signing in with such an address is a wrong password like any other, so that nothing tells who has an account.
    const login = await own.post("/v1/auth/login", { email: "jürgen@example.com", password: PASSWORD });
    expect(login.code).toBe("invalid_credentials");
  });
});

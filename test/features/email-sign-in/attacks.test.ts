import { expect } from "bun:test";
import type { ProofKind } from "../../../src/identity/email-proofs/proofs.ts";
import type { SecondFactor } from "../../../src/identity/factors/second-factors.ts";
import { type Callable, proceduresOf } from "../../../src/rpc/invoke.ts";
import type { TestApp } from "../../support/app.ts";
import type { Answer } from "../../support/client.ts";
import {
  allowMail,
  askForMail,
  completeBy,
  MAIL_METHODS,
  mailedLink,
  mailTo,
  proofFor,
} from "../../support/mailed-links.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const sessionsIn = async (app: TestApp) => app.storage.read.kysely.selectFrom("sessions").selectAll().execute();
const codesOf = (answers: Answer[]) => answers.map(({ status, code }) => code ?? status);

/** Returns a wrong code of the same form, whatever the right code is. */
const otherThan = (code: string) => `${code.slice(0, -1)}${(Number(code.at(-1)) + 1) % 10}`;

scenarios("mailed links and codes, attacked", (t) => {
  t.test("a used link or code does not work again (ASVS 6.5.1)", async (app) => {
    await allowMail(app);
    const user = await app.user();
    for (const method of MAIL_METHODS) {
      const { flowId, link, code } = await mailTo(app, user.email, method);
      const proofs = [...(link === "" ? [] : [{ token: link, flow_id: flowId }]), { flow_id: flowId, code }];
      expect((await completeBy(app.client(), proofs[0] ?? {})).status).toBe(200);
      for (const proof of proofs) expect((await completeBy(app.client(), proof)).code).toBe("invalid_code");
      if (link) expect((await app.client().post("/v1/auth/link", { token: link })).code).toBe("invalid_code");
    }
    expect(await sessionsIn(app)).toHaveLength(2);
  });

  t.test("twenty requests at once by link, and twenty by code, give one session each", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const { link, flowId: asked } = await mailTo(app, user.email);
    const proof = { token: link, flow_id: asked };
    const byLink = await Promise.all(Array.from({ length: 20 }, () => completeBy(app.client(), proof)));
    expect(codesOf(byLink).filter((code) => code === 200)).toHaveLength(1);
    expect(codesOf(byLink).filter((code) => code === "invalid_code")).toHaveLength(19);
    expect(await sessionsIn(app)).toHaveLength(1);
    const { flowId, code } = await mailTo(app, user.email, "email_code");
    const roomy = Array.from({ length: 20 }, () => completeBy(app.client(), { flow_id: flowId, code }));
    const byCode = codesOf(await Promise.all(roomy));
    expect(byCode.filter((answer) => answer === 200)).toHaveLength(1);
    expect(await sessionsIn(app)).toHaveLength(2);
  });

  t.test("a code works for its own flow only, in its application and tenant (ASVS 6.6.2)", async (app) => {
    const acme = await app.tenant("acme");
    await allowMail(app);
    const user = await app.user();
    const one = await mailTo(app, user.email);
    const two = await mailTo(app, user.email);
    // Two codes are equal once in a hundred million.
    if (one.code !== two.code) {
      const crossed = await completeBy(app.client(), { flow_id: one.flowId, code: two.code });
      expect(crossed.code).toBe("invalid_code");
    }
    const elsewhere = [
      app.client({ "x-application-id": app.applicationId }),
      app.client({ "x-application-id": acme.applicationId }),
      app.client().bearer(acme.secretKey),
    ];
    for (const client of elsewhere) {
      expect((await completeBy(client, { token: one.link, flow_id: one.flowId })).code).toBe("invalid_code");
      expect((await completeBy(client, { flow_id: one.flowId, code: one.code })).code).toBe("invalid_code");
    }
    expect((await app.client().post("/t/acme/v1/auth/link", { token: one.link })).code).toBe("invalid_code");
    expect(await sessionsIn(app)).toEqual([]);
    expect((await completeBy(app.client(), { token: one.link, flow_id: one.flowId })).status).toBe(200);
  });

  t.test("five wrong codes end the code, even the right one; the link still works (ASVS 6.6.3)", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const { flowId, link, code } = await mailTo(app, user.email);
    for (let i = 0; i < 5; i++) {
      const wrong = await completeBy(app.client(), { flow_id: flowId, code: otherThan(code) });
      expect([wrong.status, wrong.code]).toEqual([401, "invalid_code"]);
    }
    expect((await completeBy(app.client(), { flow_id: flowId, code })).code).toBe("invalid_code");
    // The link has 256 bits of its own: guesses at the code do not take it from its owner.
    expect((await completeBy(app.client(), { token: link, flow_id: flowId })).status).toBe(200);
    expect(await app.audit()).toContain("proof.refused");
  });

  t.test(
    "guesses count by the address, over its flows and all networks, with or without an account (ASVS 6.6.3, 6.3.1)",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      for (const email of [user.email, "nobody@example.com"]) {
        const guesses: (string | number)[] = [];
        for (let flow = 0; flow < 4; flow++) {
          const network = { "x-forwarded-for": `198.51.${flow}.7` };
          const start = await app.client(network).post("/v1/auth/email/start", { email, method: "email_code" });
          const flowId = start.body.flow_id;
          const code = (await app.mails(email)).at(-1)?.code ?? "0000 0000";
          for (let i = 0; i < 3; i++) {
            const proof = { flow_id: flowId, code: otherThan(code) };
            guesses.push((await completeBy(app.client(network), proof)).code ?? 200);
          }
        }
        const admitted = Array.from({ length: 7 }, () => "invalid_code");
        expect([email, guesses]).toEqual([email, [...admitted, ...Array.from({ length: 5 }, () => "rate_limited")]]);
      }
      // The log records what is throttled, and the owner's password still works.
      expect(await app.audit()).toContain("attempt.throttled");
      expect((await app.client().post("/v1/auth/login", user.login)).status).toBe(200);
    },
    { settings: { limit_account_total: "6/1d", limit_spare_total: "1/1d", trusted_proxies: ["127.0.0.1/32"] } },
  );

  t.test(
    "one network's guesses at many addresses meet its limit; unknown flows count too",
    async (app) => {
      await allowMail(app);
      const proof = () => ({ flow_id: crypto.randomUUID(), code: "1234 5678" });
      const answers: Answer[] = [];
      for (let i = 0; i < 8; i++) answers.push(await completeBy(app.client(), proof()));
      expect(codesOf(answers).slice(0, 6)).toEqual(Array.from({ length: 6 }, () => "invalid_code"));
      expect(codesOf(answers).slice(6)).toEqual(["rate_limited", "rate_limited"]);
    },
    { settings: { limit_network: "6/10m" } },
  );

  t.test("a mailbox gets five mails at once for one purpose, from whatever network they are asked for", async (app) => {
    await allowMail(app);
    const user = await app.user();
    for (const email of [user.email, "nobody@example.com"]) {
      const answers: Answer[] = [];
      for (let i = 0; i < 7; i++) {
        answers.push(await app.client().post("/v1/auth/email/start", { email, method: "magic_link" }));
      }
      // Requests are never refused: a stranger could use up the owner's.
      expect(codesOf(answers)).toEqual([202, 202, 202, 202, 202, 202, 202]);
    }
    expect(await app.mails(user.email)).toHaveLength(5);
    expect(await app.mails()).toEqual([]);
  });

  t.test(
    "two addresses, a list, a header in the address and an unknown field are refused, and no mail goes out",
    async (app) => {
      await allowMail(app);
      await app.user("ada@example.com");
      const emails: unknown[] = [
        "ada@example.com,eve@evil.example",
        "ada@example.com eve@evil.example",
        "eve@evil.example;ada@example.com",
        ["ada@example.com", "eve@evil.example"],
        { address: "ada@example.com" },
        "ada@example.com\r\nBcc: eve@evil.example",
        '"ada@example.com"@evil.example,ada@example.com',
        "аda@example.com",
        "ada@example.com\u0000",
      ];
      for (const email of emails) {
        const answer = await app.client().post("/v1/auth/email/start", { email, method: "magic_link" });
        expect([email, answer.code]).toEqual([email, "invalid_input"]);
      }
      const extra = { email: "ada@example.com", method: "magic_link", to: "eve@evil.example", user_id: "x" };
      expect((await app.client().post("/v1/auth/email/start", extra)).code).toBe("invalid_input");
      expect(await app.mailsWritten()).toBe(0);
    },
  );

  t.test("a body with both proofs, neither, or more is refused before any lookup", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const { flowId, link, code } = await mailTo(app, user.email);
    for (const body of [
      {},
      { flow_id: flowId },
      { code },
      { token: link, flow_id: flowId, code },
      { token: link, user_id: user.id },
      { token: link, aal: "aal2" },
    ]) {
      expect([body, (await completeBy(app.client(), body)).code]).toEqual([body, "invalid_input"]);
    }
    const flows = await app.storage.read.kysely.selectFrom("flows").select("attempts").execute();
    expect(flows).toEqual([{ attempts: 0 }]);
  });

  t.test("Host and forwarding headers do not change the link", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const evil = { host: "evil.example" };
    const start = { email: user.email, method: "magic_link" };
    expect((await app.client(evil).post("/v1/auth/email/start", start)).status).toBe(421);
    const headers = {
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      forwarded: "host=evil.example",
    };
    const { mail } = await mailTo(
      app,
      user.email,
      "magic_link",
      app.client({ ...headers, referer: "https://evil.example" }),
    );
    expect(mail.text).toContain(`${app.publicUrl}/link#`);
    expect(mail.text + mail.html).not.toContain("evil");
  });

  t.test("login CSRF: a foreign page cannot ask, describe or sign in (ASVS 3.5.1)", async (app) => {
    await allowMail(app);
    const eve = await app.user();
    const { link, flowId } = await mailTo(app, eve.email);
    const foreign = app.page("https://evil.example");
    const sandboxed = app.page("null");
    const silent = app.client({ "sec-fetch-site": "cross-site" });
    for (const page of [foreign, sandboxed, silent]) {
      for (const [path, body] of [
        ["/v1/auth/email/start", { email: eve.email, method: "magic_link" }],
        ["/v1/auth/link", { token: link }],
        ["/v1/auth/email/complete", { token: link }],
      ] as const) {
        const answer = await page.post(path, body);
        expect([path, answer.code, answer.cookies]).toEqual([path, "origin_not_allowed", []]);
      }
      // A form cannot send it either, although it needs no preflight.
      const form = { headers: { "content-type": "text/plain" }, body: JSON.stringify({ token: link }) };
      expect((await page.send("POST", "/v1/auth/email/complete", form)).cookies).toEqual([]);
    }
    const own = await completeBy(app.page(app.publicUrl), { token: link, flow_id: flowId });
    expect([own.status, own.cookies.map(({ attributes }) => attributes.samesite)]).toEqual([
      200,
      ["Lax", "Lax", "Lax"],
    ]);
  });

  t.test("a method that is switched off between the mail and the click does not sign in", async (app) => {
    await allowMail(app);
    const user = await app.user();
    for (const method of MAIL_METHODS) {
      const { flowId, link, code } = await mailTo(app, user.email, method);
      await allowMail(app, ["password", ...MAIL_METHODS.filter((other) => other !== method)]);
      const proof = link === "" ? { flow_id: flowId, code } : { token: link, flow_id: flowId };
      const refused = await completeBy(app.client(), proof);
      expect([refused.status, refused.code, refused.cookies]).toEqual([403, "forbidden", []]);
      await allowMail(app);
    }
    expect(await sessionsIn(app)).toEqual([]);
  });

  t.test(
    "an account that was disabled, was deleted or has lost the address meanwhile is not signed in",
    async (app) => {
      await allowMail(app);
      const disabled = await app.user();
      const deleted = await app.user();
      const moved = await app.user();
      const links = [];
      for (const { email } of [disabled, deleted, moved]) {
        const { link: token, flowId: flow_id } = await mailTo(app, email);
        links.push({ token, flow_id });
      }
      await app.disable("users", disabled.id);
      await app.client().bearer(app.secretKey).delete(`/v1/users/${deleted.id}`);
      // Another account has the address by now; the mail's flow still names the first one.
      const heir = await app.user();
      await app.storage.write(async (tx) => {
        await tx.kysely.deleteFrom("user_emails").where("user_id", "=", heir.id).execute();
        await tx.kysely.updateTable("user_emails").set({ user_id: heir.id }).where("user_id", "=", moved.id).execute();
      });
      const answers = [];
      for (const proof of links) answers.push(await completeBy(app.client(), proof));
      expect(codesOf(answers)).toEqual(["invalid_credentials", "invalid_code", "invalid_code"]);
      expect(answers.flatMap(({ cookies }) => cookies)).toEqual([]);
      expect(await sessionsIn(app)).toEqual([]);
    },
  );

  t.test("an application that was disabled meanwhile neither describes nor signs in", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const own = app.client({ "x-application-id": app.applicationId });
    const { link } = await mailTo(app, user.email, "magic_link", own);
    await app.disable("applications", app.applicationId);
    expect((await app.client().post("/v1/auth/link", { token: link })).code).toBe("invalid_code");
    expect((await completeBy(own, { token: link })).code).toBe("unknown_application");
    expect((await completeBy(app.client(), { token: link })).code).toBe("invalid_code");
  });

  t.test(
    "a mail is one factor: a user with a second one is asked for it, and gets nothing before (ASVS 6.3.4)",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      app.identity.secondFactors.offer([enrolled(user.id)]);
      const page = app.page(app.publicUrl);
      const { link } = await mailTo(app, user.email, "magic_link", page);
      const half = await completeBy(page, { token: link });
      expect([half.status, half.body.status, half.cookies]).toEqual([200, "mfa_required", []]);
      expect(half.body as unknown).toEqual({
        status: "mfa_required",
        mfa_token: half.body.mfa_token,
        mfa_token_expires_in: 300,
        methods: ["totp"],
        setup_required: false,
      });
      expect(await sessionsIn(app)).toEqual([]);
      expect((await completeBy(page, { token: link })).code).toBe("invalid_code");
      expect((await completeBy(page, { token: half.body.mfa_token })).code).toBe("invalid_input");
      expect((await app.client().bearer(half.body.mfa_token).get("/v1/auth/session")).status).toBe(401);
      expect((await app.client().post("/v1/auth/refresh", { refresh_token: half.body.mfa_token })).status).toBe(401);
    },
  );

  t.test("the mail's reader takes over an unproven account whole, and its former holder keeps nothing", async (app) => {
    await allowMail(app);
    // A stranger signs up with the victim's address and stays signed in.
    const body = { email: "victim@example.com", password: PASSWORD };
    const stranger = await app.client().post("/v1/auth/register", body);
    const userId = stranger.body.user.id;
    await app.mails();
    const proof = await proofFor(app, body.email);
    const { code: _, flowId: pending } = await mailTo(app, body.email, "email_code");
    const owner = await completeBy(app.client(), proof);
    expect([owner.status, owner.body.user.id, owner.body.user.email_verified]).toEqual([200, userId, true]);
    expect((await app.client().post("/v1/auth/login", body)).code).toBe("invalid_credentials");
    expect((await app.client().bearer(stranger.body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
    const refresh = { refresh_token: stranger.body.refresh_token };
    expect((await app.client().post("/v1/auth/refresh", refresh)).status).toBe(401);
    expect(await app.audit()).toEqual(expect.arrayContaining(["user.unproven_credentials_revoked", "email.verified"]));
    // Earlier flows end too.
    const flow = await app.storage.read.kysely.selectFrom("flows").select("id").where("id", "=", pending).execute();
    expect(flow).toEqual([]);
    // Once the address is proven, a sign-in by mail takes nothing from its owner.
    const again = await completeBy(app.client(), await proofFor(app, body.email));
    expect(again.status).toBe(200);
    expect((await app.client().bearer(owner.body.access_token).get("/v1/auth/session")).status).toBe(200);
    expect((await app.audit()).filter((action) => action === "user.unproven_credentials_revoked")).toHaveLength(1);
  });

  t.test(
    "two links into one unproven account at once: one takes over, and the other ends with the former credentials",
    async (app) => {
      await allowMail(app);
      for (let round = 0; round < 5; round++) {
        const user = await app.unproven();
        const proofs = [await proofFor(app, user.email), await proofFor(app, user.email)];
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, i) => completeBy(app.client(), proofs[i % 2] ?? {})),
        );
        expect(codesOf(answers).filter((code) => code === 200)).toHaveLength(1);
        expect(codesOf(answers).filter((code) => code === "invalid_code")).toHaveLength(9);
      }
      expect((await app.audit()).filter((action) => action === "user.unproven_credentials_revoked")).toHaveLength(5);
      expect((await sessionsIn(app)).filter(({ ended_at }) => ended_at === null)).toHaveLength(5);
    },
  );

  t.test("an unproven second address does not open an account with a proven first one", async (app) => {
    await allowMail(app);
    const owner = await app.unproven("owner@example.com");
    await addAddress(app, owner.id, "second@example.com");
    const mailed = async (email: string) => {
      const { answer, flowId, mail } = await askForMail(app, email);
      expect(answer.status).toBe(202);
      return { token: mail?.link ?? "", flow_id: flowId };
    };
    const early = await mailed("second@example.com");
    expect(early.token).not.toBe("");
    expect((await completeBy(app.client(), await mailed("owner@example.com"))).status).toBe(200);
    // The mail went out before any address was proven; by now one is.
    expect((await completeBy(app.client(), early)).code).toBe("invalid_code");
    expect((await mailed("second@example.com")).token).toBe("");
  });
});

/** A second factor of this user, for the sign-in to ask for. */
function enrolled(userId: string): SecondFactor {
  return {
    method: "totp",
    check: () => Promise.reject(new Error("nobody answers it here")),
    isEnrolled: async (_, id) => id === userId,
  };
}

async function addAddress(app: TestApp, userId: string, email: string): Promise<void> {
  const now = app.clock.now();
  await app.storage.write(async (tx) => {
    const address = { address: email, canonical: email, is_primary: 0, verified_at: null } as const;
    const row = { id: crypto.randomUUID(), tenant_id: app.tenantId, user_id: userId, created_at: now, ...address };
    await tx.kysely.insertInto("user_emails").values(row).execute();
  });
}

/** The kind of mailed token that each procedure takes. */
const TAKES: Record<string, ProofKind> = {
  "auth.email.complete": "sign_in",
  "auth.completeRegistration": "sign_up",
  "auth.email.verify": "verify_email",
  "auth.password.reset": "reset_password",
  "auth.email.undo": "undo_email_change",
  "auth.account.restore": "restore_account",
};
const KINDS = Object.values(TAKES);

interface Shaped {
  shape?: Record<string, unknown>;
}
const shapeOf = ({ _def }: Callable) => (_def.inputs[0] as Shaped | undefined)?.shape ?? {};

scenarios("each mailed token at every procedure that takes one (ASVS 9.2.2)", (t) => {
  t.test("is refused by every other procedure, and is not spent by it", async (app) => {
    await allowMail(app);
    const user = await app.user();
    const takers = Object.entries(proceduresOf(app.app.router)).filter(([, taker]) => "token" in shapeOf(taker));
    expect(takers.map(([name]) => name)).toEqual(expect.arrayContaining(["auth.email.complete", "auth.describeLink"]));
    for (const [name, procedure] of takers) {
      if (name === "auth.describeLink") continue;
      for (const kind of KINDS.filter((other) => other !== TAKES[name])) {
        const { token } = await mailedLink(app, user, app.defaultApplicationId, kind);
        const field = ["new_password", "password"].find((password) => password in shapeOf(procedure));
        const extra = field === undefined ? {} : { [field]: "granite-lantern-moth-88" };
        const path = procedure._def.meta?.rest?.path ?? "";
        const answer = await app.client().post(path, { token, ...extra });
        expect([name, kind, answer.code, answer.cookies]).toEqual([name, kind, "invalid_code", []]);
        const described = await app.client().post("/v1/auth/link", { token });
        expect([name, described.body as unknown]).toEqual([name, expect.objectContaining({ kind })]);
      }
    }
  });

  t.test("other secrets are not mailed tokens", async (app) => {
    await allowMail(app);
    const { tokens } = await app.signedIn();
    const secrets = [app.secretKey, `sally_ml_${"0".repeat(71)}`, "x", "../../etc", "sally_ml_"];
    for (const token of secrets) {
      expect((await completeBy(app.client(), { token })).code).toBe("invalid_code");
      expect((await app.client().post("/v1/auth/link", { token })).code).toBe("invalid_code");
    }
    for (const token of [tokens.accessToken, tokens.refreshToken]) {
      expect((await completeBy(app.client(), { token })).code).toBe("invalid_input");
    }
  });
});

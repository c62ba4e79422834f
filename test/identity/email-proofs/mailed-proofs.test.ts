import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import type { Answer, Client } from "../../support/client.ts";
import {
  add,
  callerOf,
  changeAddress,
  forgot,
  giveEmail,
  type MailedProof,
  NEW_PASSWORD,
  session,
  signUp,
  verifyPrimary,
} from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";

type Proof = Pick<MailedProof, "token"> & Partial<MailedProof>;

interface Endpoint {
  path: string;
  /** The input besides the proof. */
  body: Record<string, unknown>;
  status: number;
  /** Makes a new proof of this kind for its own person. */
  make(app: TestApp, user: TestUser, applicationId?: string): Promise<Proof>;
  /** Whether it also accepts codes. */
  hasCode: boolean;
}

const endpoints: Record<string, Endpoint> = {
  sign_up: {
    path: "/v1/auth/register/complete",
    body: { password: NEW_PASSWORD },
    status: 201,
    make: (app, _user, applicationId) => signUp(app, undefined, applicationId),
    hasCode: true,
  },
  reset_password: {
    path: "/v1/auth/password/reset",
    body: { new_password: NEW_PASSWORD },
    status: 200,
    make: (app, user, applicationId) => forgot(app, user.email, applicationId),
    hasCode: true,
  },
  verify_email: {
    path: "/v1/auth/email/verify",
    body: {},
    status: 200,
    make: async (app, user, applicationId) => add(app, await session(app, user, applicationId)),
    hasCode: true,
  },
  undo_email_change: {
    path: "/v1/auth/email/undo",
    body: {},
    status: 200,
    make: async (app, user, applicationId) => ({
      token: await changeAddress(app, user, undefined, applicationId),
    }),
    hasCode: false,
  },
};
const kinds = Object.keys(endpoints);

function endpoint(kind: string): Endpoint {
  const found = endpoints[kind];
  if (!found) throw new Error(`no endpoint for ${kind}`);
  return found;
}

const knock = (client: Client, { path, body }: Endpoint, proof: Record<string, unknown>): Promise<Answer> =>
  client.post(path, { ...body, ...proof });

async function person(app: TestApp): Promise<TestUser> {
  const user = await app.user();
  await verifyPrimary(app, user);
  return user;
}

/** Returns the caller that may use a proof: the session that asked, where one must have asked. */
const holderOf = (app: TestApp, { asker }: Proof): Client => asker ?? callerOf(app);

const make = async (app: TestApp, kind: string, applicationId?: string) =>
  endpoint(kind).make(app, await person(app), applicationId);

/** Returns a code that is certainly wrong. */
const wrongCode = (code: string) => code.replaceAll(/\d/g, (digit) => String((Number(digit) + 1) % 10));

const PLENTY = { limit_mail_network: "1000/1h", limit_account: "1000/1h", limit_account_total: "1000/1h" };

scenarios("mailed links and codes", (t) => {
  for (const kind of kinds) {
    t.test(
      `${kind}: works once, for consecutive and for twenty simultaneous uses (ASVS 6.5.1)`,
      async (app) => {
        const here = endpoint(kind);
        const proof = await make(app, kind);
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => knock(holderOf(app, proof), here, { token: proof.token })),
        );
        const statuses = answers.map(({ status }) => status).sort();
        expect(statuses).toEqual([here.status, ...Array.from({ length: 19 }, () => 401)]);
        const again = await knock(holderOf(app, proof), here, { token: proof.token });
        expect([again.status, again.code]).toEqual([401, "invalid_code"]);
        if (!here.hasCode) return;
        const byCode = await make(app, kind);
        const flow = { flow_id: byCode.flowId, code: byCode.code };
        const racing = await Promise.all([0, 1, 2].map(() => knock(holderOf(app, byCode), here, flow)));
        expect(racing.map(({ status }) => status).sort()).toEqual([here.status, 401, 401]);
        // The code has spent the link too.
        expect((await knock(callerOf(app), here, { token: byCode.token })).code).toBe("invalid_code");
      },
      { settings: PLENTY },
    );

    t.test(
      `${kind}: works at no other endpoint, as no other credential, for no other application or tenant (ASVS 6.6.2)`,
      async (app) => {
        const acme = await app.tenant("acme");
        const proof = await make(app, kind);
        const before = await app.state();
        for (const other of kinds.filter((name) => name !== kind)) {
          const refused = await knock(callerOf(app), endpoint(other), { token: proof.token });
          expect([other, refused.status, refused.code]).toEqual([other, 401, "invalid_code"]);
          if (!proof.flowId || !endpoint(other).hasCode) continue;
          const byCode = { flow_id: proof.flowId, code: proof.code };
          expect([other, (await knock(callerOf(app), endpoint(other), byCode)).code]).toEqual([other, "invalid_code"]);
        }
        for (const id of [app.defaultApplicationId, acme.applicationId]) {
          expect([id, (await knock(callerOf(app, id), endpoint(kind), { token: proof.token })).code]).toEqual([
            id,
            "invalid_code",
          ]);
        }
        const elsewhere = `/t/acme${endpoint(kind).path}`;
        const there = await app.client().post(elsewhere, { ...endpoint(kind).body, token: proof.token });
        expect(there.code).toBe("invalid_code");
        expect((await app.client().bearer(proof.token).get("/v1/auth/session")).status).toBe(401);
        expect((await app.client().bearer(proof.token).get("/v1/users")).status).toBe(401);
        expect((await app.client().post("/v1/auth/refresh", { refresh_token: proof.token })).status).toBe(401);
        expect(await app.state()).toBe(before);
        const used = await knock(holderOf(app, proof), endpoint(kind), { token: proof.token });
        expect(used.status).toBe(endpoint(kind).status);
      },
      { settings: PLENTY },
    );

    t.test(
      `${kind}: a GET, a HEAD and a view of the link's page spend nothing (scanners)`,
      async (app) => {
        const proof = await make(app, kind);
        const { path } = endpoint(kind);
        const before = await app.state();
        for (const method of ["GET", "HEAD", "OPTIONS"]) {
          for (const url of [`${path}?token=${proof.token}`, `/link?token=${proof.token}`, "/link"]) {
            const { status } = await callerOf(app).send(method, url);
            expect([method, url, status < 300 && method === "GET" && url.startsWith(path)]).toEqual([
              method,
              url,
              false,
            ]);
          }
        }
        const foreign = await app
          .page("https://evil.example", { "x-application-id": app.applicationId })
          .post(path, { ...endpoint(kind).body, token: proof.token });
        expect(foreign.status).toBe(403);
        expect(await app.state()).toBe(before);
        const used = await knock(holderOf(app, proof), endpoint(kind), { token: proof.token });
        expect(used.status).toBe(endpoint(kind).status);
      },
      { settings: PLENTY },
    );

    t.test(
      `${kind}: expires (ASVS 6.5.5), and similar tokens are refused`,
      async (app) => {
        const here = endpoint(kind);
        const proof = await make(app, kind);
        const { token } = proof;
        const flip = (at: number) => {
          const next = token.charAt(at) === "A" ? "B" : "A";
          return token.slice(0, at) + next + token.slice(at + 1);
        };
        for (const near of [flip(12), flip(40), flip(token.length - 1), token.slice(0, -1), `${token}A`, " ", "null"]) {
          expect([near, (await knock(callerOf(app), here, { token: near })).status]).toEqual([near, 401]);
        }
        expect((await knock(callerOf(app), here, { token: app.secretKey })).code).toBe("invalid_code");
        for (const body of [{}, { token: "" }, { token: [token] }, { token: { $ne: "" } }, { token, user_id: "1" }]) {
          expect((await knock(callerOf(app), here, body)).code).toBe("invalid_input");
        }
        if (proof.flowId) {
          const both = { token, flow_id: proof.flowId, code: proof.code };
          expect((await knock(callerOf(app), here, both)).code).toBe("invalid_input");
          expect((await knock(callerOf(app), here, { flow_id: proof.flowId })).code).toBe("invalid_input");
          expect((await knock(callerOf(app), here, { code: proof.code })).code).toBe("invalid_input");
        }
        const days = kind === "undo_email_change" ? 7 * 24 : kind === "verify_email" ? 1 : 1 / 6;
        app.clock.advance(days * 3_600_000 - 1);
        const before = await app.state();
        app.clock.advance(1);
        expect((await knock(callerOf(app), here, { token })).code).toBe("invalid_code");
        expect(await app.state()).toBe(before);
        app.clock.advance(-1);
        expect((await knock(holderOf(app, proof), here, { token })).status).toBe(here.status);
      },
      { settings: PLENTY },
    );

    if (!endpoint(kind).hasCode) continue;
    t.test(
      `${kind}: the fifth wrong code ends the flow, and a code works only in its flow (ASVS 6.6.3)`,
      async (app) => {
        const here = endpoint(kind);
        const [first, second] = [await make(app, kind), await make(app, kind)];
        const [code = "", flowId] = [first.code, first.flowId];
        const crossed = { flow_id: second.flowId, code };
        if (second.code !== code) expect((await knock(callerOf(app), here, crossed)).code).toBe("invalid_code");
        for (let i = 0; i < 5; i++) {
          const refused = await knock(callerOf(app), here, { flow_id: flowId, code: wrongCode(code) });
          expect([refused.status, refused.code]).toEqual([401, "invalid_code"]);
        }
        expect((await knock(callerOf(app), here, { flow_id: flowId, code })).code).toBe("invalid_code");
        // The other flow accepts its code as people type it, with the other form of the id.
        const typed = ` ${second.code?.replace(" ", "-")} `;
        const right = await knock(holderOf(app, second), here, { flow_id: second.flowId, code: typed });
        expect(right.status).toBe(here.status);
      },
      { settings: PLENTY },
    );
  }

  t.test(
    "many flows and networks allow no more guesses at the codes of one address (ASVS 6.3.1, 6.6.3)",
    async (app) => {
      const user = await person(app);
      const statuses: number[] = [];
      for (let flow = 0; flow < 3; flow++) {
        // The guesses cause a notice.
        await app.mails();
        const proof = await forgot(app, user.email);
        for (let i = 0; i < 4; i++) {
          const client = callerOf(app).with({ "x-forwarded-for": `198.51.100.${flow * 4 + i}` });
          const body = { flow_id: proof.flowId, code: wrongCode(proof.code) };
          statuses.push((await knock(client, endpoint("reset_password"), body)).status);
        }
      }
      expect(statuses).toEqual([...Array.from({ length: 7 }, () => 401), ...Array.from({ length: 5 }, () => 429)]);
      // The password works, and so does a link: guesses at codes do not count against them.
      expect((await callerOf(app).post("/v1/auth/login", user.login)).status).toBe(200);
      app.clock.advance(3_600_000);
      await app.mails();
      const { token } = await forgot(app, user.email);
      expect((await knock(callerOf(app), endpoint("reset_password"), { token })).status).toBe(200);
    },
    {
      settings: {
        limit_account_total: "6/1d",
        limit_spare_total: "1/1d",
        limit_mail_account: "20/1h",
        trusted_proxies: ["127.0.0.1/32"],
      },
    },
  );

  t.test(
    "guesses at many accounts' codes from one network meet the network's limit (ASVS 6.3.1)",
    async (app) => {
      const proofs = [await make(app, "reset_password"), await make(app, "reset_password")];
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++) {
        const proof = proofs[i % 2];
        const body = { flow_id: proof?.flowId, code: wrongCode(proof?.code ?? "") };
        statuses.push((await knock(callerOf(app), endpoint("reset_password"), body)).status);
      }
      expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
    },
    { settings: { limit_network: "4/10m" } },
  );

  t.test(
    "a second request sends another mail, the older mail stays valid, and using one mail spends all (resend)",
    async (app) => {
      const user = await person(app);
      const [first, second] = [await forgot(app, user.email), await forgot(app, user.email)];
      expect(first.token).not.toBe(second.token);
      expect((await knock(callerOf(app), endpoint("reset_password"), { token: first.token })).status).toBe(200);
      expect((await knock(callerOf(app), endpoint("reset_password"), { token: second.token })).code).toBe(
        "invalid_code",
      );
    },
  );

  t.test("links come from configuration and ignore the request's headers (Host poisoning)", async (app) => {
    await app.user("ada@example.com");
    const acme = await app.tenant("acme");
    await app.user("ada@example.com", acme.id);
    const poison = {
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "http",
      "x-original-host": "evil.example",
      forwarded: "host=evil.example",
      referer: "https://evil.example/",
      "x-host": "evil.example",
    };
    const body = { email: "ada@example.com" };
    const sent = await callerOf(app).with(poison).post("/v1/auth/password/forgot", body);
    expect(sent.status).toBe(202);
    const mail = await app.mail("ada@example.com");
    expect(mail.text).toContain(`\n${app.publicUrl}/link#${mail.link}\n`);
    expect(mail.text + mail.html + mail.subject).not.toContain("evil.example");
    const direct = await callerOf(app).with({ host: "evil.example" }).post("/v1/auth/password/forgot", body);
    expect(direct.code).toBe("misdirected_request");
    expect(await app.mails()).toEqual([]);
    await app.client(poison).post("/t/acme/v1/auth/password/forgot", body);
    const theirs = await app.mail("ada@example.com");
    expect(theirs.text).toContain(`\n${acme.issuer}/link#${theirs.link}\n`);
  });

  t.test(
    "every endpoint that mails takes one address: lists, names, look-alikes and line breaks send nothing",
    async (app) => {
      const user = await person(app);
      const client = await session(app, user);
      const tries = [
        `${user.email},eve@evil.example`,
        `${user.email};eve@evil.example`,
        `${user.email} eve@evil.example`,
        `${user.email}\r\nBcc: eve@evil.example`,
        `Ada <${user.email}>`,
        user.email.replace("person", "pеrson"),
        `${user.email}\u0000`,
        [user.email, "eve@evil.example"],
        { email: user.email },
      ];
      for (const email of tries) {
        for (const [caller, path, more] of [
          [callerOf(app), "/v1/auth/password/forgot", {}],
          [callerOf(app), "/v1/auth/register", { password: NEW_PASSWORD }],
          [client, "/v1/me/emails", {}],
        ] as const) {
          const refused = await caller.post(path, { email, ...more });
          expect([path, email, refused.code]).toEqual([path, email, "invalid_input"]);
        }
      }
      expect(await app.mailsWritten()).toBe(0);
      // Another spelling of a known address is that address: the mail goes to the stored spelling only.
      await callerOf(app).post("/v1/auth/password/forgot", { email: ` ${user.email.toUpperCase()} ` });
      expect((await app.mails()).map(({ to }) => to)).toEqual([user.email]);
    },
  );

  t.test("a link does not restore an account that was disabled or deleted meanwhile", async (app) => {
    for (const [index, remove] of [
      (user: TestUser) => app.disable("users", user.id),
      (user: TestUser) => app.client().bearer(app.secretKey).delete(`/v1/users/${user.id}`),
    ].entries()) {
      for (const kind of ["reset_password", "verify_email", "undo_email_change"]) {
        const user = await person(app);
        const { token } = await endpoint(kind).make(app, user);
        await remove(user);
        const before = await app.state();
        const refused = await knock(callerOf(app), endpoint(kind), { token });
        expect([index, kind, refused.status, refused.code]).toEqual([index, kind, 401, "invalid_code"]);
        expect([index, kind, await app.state()]).toEqual([index, kind, before]);
      }
    }
  });

  t.test("an account has at most ten addresses, even with ten mails on their way", async (app) => {
    const user = await person(app);
    const client = await session(app, user);
    const waiting = await add(app, client);
    for (let i = 0; i < 9; i++) await giveEmail(app, user);
    expect((await client.post("/v1/me/emails", { email: "eleventh@example.com" })).code).toBe("conflict");
    expect((await knock(client, endpoint("verify_email"), { token: waiting.token })).code).toBe("conflict");
    const { body } = await client.get("/v1/me/emails?limit=100");
    expect(body.data).toHaveLength(10);
  });
});

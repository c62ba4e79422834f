import { expect } from "bun:test";
import { findApplication } from "../../../src/identity/applications/store.ts";
import { PUBLISH_LEAD } from "../../../src/identity/keys/keyring.ts";
import { endEverySession } from "../../../src/identity/restoration.ts";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import type { TestApp } from "../../support/app.ts";
import { machine, tokenOf } from "../../support/machines.ts";
import { scenarios } from "../../support/scenarios.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 3_600;

async function change(app: TestApp, id: string, access_token_ttl: number): Promise<void> {
  await withRow(app, id, (tx, row) => app.identity.applications.change(tx, app.clock.now(), row, { access_token_ttl }));
}

async function setDisabled(app: TestApp, id: string, isDisabled: boolean): Promise<void> {
  await withRow(app, id, (tx, row) => app.identity.applications.setDisabled(tx, app.clock.now(), row, isDisabled));
}

type Row = NonNullable<Awaited<ReturnType<typeof findApplication>>>;
type Tx = Parameters<Parameters<TestApp["storage"]["write"]>[0]>[0];
async function withRow(app: TestApp, id: string, act: (tx: Tx, row: Row) => Promise<unknown>): Promise<void> {
  await app.storage.write(async (tx) => {
    const row = await findApplication(tx, id);
    if (!row) throw new Error(`no application ${id}`);
    await act(tx, row);
  });
  app.forget();
}

/** Returns what a backend's verifier, which starts now, says of a token. */
async function verdict(app: TestApp, applicationId: string, token: string, audience?: string): Promise<string> {
  const server = new SallyportServer({
    baseUrl: app.url,
    issuer: app.publicUrl,
    applicationId,
    audience,
    revocations: "poll",
    now: () => app.clock.now(),
  });
  const answer = await server.verifyToken(token).then(
    () => "accepted",
    (error) => error.code as string,
  );
  server.close();
  return answer;
}

const ask = async (app: TestApp, token: string) => {
  const { status, body } = await app.client().bearer(token).get("/v1/auth/session");
  return status === 200 ? "accepted" : body.error.code;
};

scenarios("revoked tokens whose lifetime was lowered afterwards", (t) => {
  t.test("an ended session's token is refused in its last second, by the server and by a verifier", async (app) => {
    await change(app, app.applicationId, HOUR);
    const { tokens } = await app.signedIn();
    await change(app, app.applicationId, 10);
    await change(app, app.applicationId, 20);
    await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
    app.clock.advance((HOUR - 2) * SECOND);
    expect(await ask(app, tokens.accessToken)).toBe("token_revoked");
    expect(await verdict(app, app.applicationId, tokens.accessToken)).toBe("token_revoked");
  });

  t.test("so is the token of a session that was ended from another application", async (app) => {
    await change(app, app.applicationId, HOUR);
    const { user, tokens } = await app.signedIn();
    await change(app, app.applicationId, 10);
    const elsewhere = await app.signIn(user, app.defaultApplicationId);
    await app.client().bearer(elsewhere.accessToken).post("/v1/auth/logout", { all: true });
    await app.storage.write(async (tx) => {
      const act = await app.act({ applicationId: app.defaultApplicationId });
      await app.identity.sessions.endAll(tx, act, user.id, { reason: "revoked", keep: null, everyApplication: true });
    });
    app.clock.advance((HOUR - 2) * SECOND);
    expect(await verdict(app, app.applicationId, tokens.accessToken)).toBe("token_revoked");
  });

  t.test("so are the tokens of an application that was disabled, after it is enabled again", async (app) => {
    await change(app, app.applicationId, HOUR);
    const { tokens } = await app.signedIn();
    await change(app, app.applicationId, 10);
    await setDisabled(app, app.applicationId, true);
    await setDisabled(app, app.applicationId, false);
    app.clock.advance((HOUR - 2) * SECOND);
    expect(await ask(app, tokens.accessToken)).toBe("token_revoked");
    expect(await verdict(app, app.applicationId, tokens.accessToken)).toBe("token_revoked");
    const next = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
    expect(await ask(app, next.body.access_token)).toBe("accepted");
  });

  t.test("so are a deleted user's tokens", async (app) => {
    await change(app, app.applicationId, HOUR);
    const { user, tokens } = await app.signedIn();
    await change(app, app.applicationId, 10);
    const act = await app.act();
    await app.storage.write((tx) => app.identity.accounts.delete(tx, act, user.id));
    app.clock.advance((HOUR - 2) * SECOND);
    expect(await ask(app, tokens.accessToken)).toBe("token_revoked");
    expect(await verdict(app, app.applicationId, tokens.accessToken)).toBe("token_revoked");
  });

  t.test(
    "a change forgets no longer lifetime before it, and an entry is dropped when nothing needs it",
    async (app) => {
      await change(app, app.applicationId, HOUR);
      await change(app, app.applicationId, 10);
      app.clock.advance(5 * MINUTE);
      await change(app, app.applicationId, 900);
      await change(app, app.applicationId, 10);
      const { tokens } = await app.signedIn();
      const end = async () => {
        await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
        return (await app.client().get("/v1/revocations")).body.data;
      };
      const [entry] = (await end()) as unknown as { expires_at: number }[];
      const now = Math.floor(app.clock.now() / SECOND);
      expect((entry?.expires_at ?? 0) - now).toBeWithin(HOUR - 300, HOUR + 121);
      app.clock.advance((HOUR + 121) * SECOND);
      expect((await app.client().get("/v1/revocations")).body.data).toEqual([]);
    },
  );
});

scenarios("retired signing keys", (t) => {
  t.test("verify the last token of a lifetime that was lowered before the rotation", async (app) => {
    await change(app, app.applicationId, HOUR);
    const { tokens } = await app.signedIn();
    await change(app, app.applicationId, 10);
    await app.identity.keyring.rotate(app.tenantId, "EdDSA", 0);
    app.clock.advance((HOUR - 2) * SECOND);
    expect(await ask(app, tokens.accessToken)).toBe("accepted");
    expect(await verdict(app, app.applicationId, tokens.accessToken)).toBe("accepted");
  });

  t.test("verify the last token of a lifetime that was raised before they stopped signing", async (app) => {
    const { user } = await app.signedIn();
    await app.identity.keyring.rotate(app.tenantId, "EdDSA");
    await change(app, app.applicationId, HOUR);
    app.clock.advance(PUBLISH_LEAD - SECOND);
    const { accessToken } = await app.signIn(user);
    app.clock.advance((HOUR - 2) * SECOND);
    expect(await ask(app, accessToken)).toBe("accepted");
    expect(await verdict(app, app.applicationId, accessToken)).toBe("accepted");
  });
});

scenarios("tokens of before a restoration", (t) => {
  t.test("are refused by the server and by verifiers, machine tokens too, until they have expired", async (app) => {
    const client = await machine(app);
    await change(app, client.id, HOUR);
    await change(app, app.applicationId, HOUR);
    const token = await tokenOf(app, client);
    const { tokens } = await app.signedIn();
    await change(app, client.id, 10);
    await change(app, app.applicationId, 10);
    const list = (bearer: string) => app.client().bearer(bearer).get("/v1/users");
    expect((await list(token)).status).toBe(200);
    await endEverySession(app.identity);
    app.forget();
    app.clock.advance((HOUR - 2) * SECOND);
    expect((await list(token)).body.error.code).toBe("token_revoked");
    expect(await verdict(app, client.id, token, `${app.publicUrl}/management`)).toBe("token_revoked");
    expect(await ask(app, tokens.accessToken)).toBe("token_revoked");
    const later = await tokenOf(app, client);
    expect((await list(later)).status).toBe(200);
  });
});

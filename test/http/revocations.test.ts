import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";

const digest = (id: string) => new Bun.CryptoHasher("sha256").update(id).digest("base64url");
const poll = async (app: TestApp, cursor?: string | null, prefix = "") =>
  (await app.client().get(`${prefix}/v1/revocations${cursor == null ? "" : `?cursor=${cursor}`}`)).body;
const end = async (app: TestApp) => {
  const { tokens } = await app.signedIn();
  await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
  return tokens;
};

scenarios("GET /v1/revocations", (t) => {
  t.test("lists ended sessions as digests, as a delta after the cursor", async (app) => {
    const start = await poll(app);
    expect(start).toEqual({ data: [], next_cursor: "0" } as never);
    const first = await end(app);
    const one = await poll(app, start.next_cursor);
    expect(one.data as unknown).toEqual([
      {
        kind: "sid",
        digest: digest(first.session.sid),
        issued_before: 1_772_366_402,
        expires_at: 1_772_366_400 + 900 + 60,
      },
    ]);
    const second = await end(app);
    const two = await poll(app, one.next_cursor);
    expect(two.data.map((entry) => entry.digest)).toEqual([digest(second.session.sid)]);
    expect((await poll(app, two.next_cursor)).data).toEqual([]);
    expect((await poll(app, two.next_cursor)).next_cursor).toBe(two.next_cursor);
    expect((await poll(app)).data).toHaveLength(2);
    expect(JSON.stringify(await poll(app))).not.toContain(first.session.sid);
  });

  t.test("covers every token of an ended session, up to its last second", async (app) => {
    const tokens = await end(app);
    const { data } = await poll(app);
    const claims = JSON.parse(Buffer.from(tokens.accessToken.split(".")[1] ?? "", "base64url").toString());
    const entry = data[0] as unknown as { issued_before: number; expires_at: number };
    expect(claims.iat).toBeLessThan(entry.issued_before);
    expect(claims.exp).toBeLessThanOrEqual(entry.expires_at);
    app.clock.advance(959_000);
    expect((await poll(app)).data).toHaveLength(1);
    app.clock.advance(2_000);
    expect((await poll(app)).data).toEqual([]);
  });

  t.test("lists a session after every way to end it", async (app) => {
    const { user, tokens } = await app.signedIn();
    const me = app.client().bearer(tokens.accessToken);
    const one = await app.signIn(user);
    await me.delete(`/v1/auth/sessions/${one.session.sid}`);
    const two = await app.signIn(user);
    await me.delete("/v1/auth/sessions");
    const three = await app.signIn(user);
    const body = { current_password: user.login.password, new_password: "granite-lantern-moth-88" };
    await me.post("/v1/auth/password/change", body);
    const four = await app.signIn(user);
    const next = await app.client().post("/v1/auth/refresh", { refresh_token: four.refreshToken });
    await app.client().post("/v1/auth/refresh", { refresh_token: next.body.refresh_token });
    await app.client().post("/v1/auth/refresh", { refresh_token: four.refreshToken });
    await me.post("/v1/auth/logout");
    const ended = [one, two, three, four, tokens].map(({ session }) => digest(session.sid));
    expect((await poll(app)).data.map((entry) => entry.digest)).toEqual(ended);
  });

  t.test("lists only entries of its own tenant", async (app) => {
    const acme = await app.tenant("acme");
    const user = await app.user("eve@example.com", acme.id);
    const tokens = await app.signIn(user, acme.applicationId);
    await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
    expect((await poll(app)).data).toEqual([]);
    expect((await poll(app, null, "/t/acme")).data).toHaveLength(1);
    expect((await app.client().get("/t/nobody/v1/revocations")).status).toBe(404);
    await app.disable("tenants", acme.id);
    expect((await app.client().get("/t/acme/v1/revocations")).status).toBe(404);
  });

  t.test("takes only its own cursors, and may be cached for two seconds", async (app) => {
    for (const cursor of ["-1", "x", "1.5", "1e3", "9".repeat(16), "%00", ""]) {
      const refused = await app.client().get(`/v1/revocations?cursor=${cursor}`);
      expect([cursor, refused.status, refused.code]).toEqual([cursor, 400, "invalid_input"]);
    }
    expect((await app.client().get("/v1/revocations")).headers.get("cache-control")).toBe("public, max-age=2");
  });
});

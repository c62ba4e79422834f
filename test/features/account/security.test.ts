import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { TestApp } from "../../support/app.ts";
import { fields } from "../../support/management.ts";
import { trustDevice } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { addFactors } from "./support.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0";
const DAY = 86_400_000;

const devices = async (app: TestApp) =>
  (await app.storage.read.kysely.selectFrom("trusted_devices").select("id").orderBy("id").execute()).map(
    ({ id }) => id,
  );

scenarios("GET /v1/me/security", (t) => {
  t.test("tells how the caller's own account is secured, and no other", async (app) => {
    const { user, tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const setAt = "2026-03-01T12:00:00.250Z";
    expect((await client.get("/v1/me/security")).body as unknown).toEqual({
      password: { set_at: setAt },
      totp: null,
      recovery_codes_left: 0,
      passkeys: 0,
      trusted_devices: 0,
      emails: 1,
    });
    await addFactors(app, user.id);
    await addFactors(app, (await app.user()).id);
    const elsewhere = app.defaultApplicationId;
    await trustDevice(app, user.id);
    await trustDevice(app, user.id, { applicationId: elsewhere });
    await trustDevice(app, user.id, { lifetime: 1_000 });
    app.clock.advance(1_000);
    const now = "2026-03-01T12:00:00.250Z";
    expect((await client.get("/v1/me/security")).body as unknown).toEqual({
      password: { set_at: setAt },
      totp: { enabled_at: now, last_used_at: null },
      recovery_codes_left: 2,
      passkeys: 2,
      trusted_devices: 1,
      emails: 1,
    });
    // An unfinished set-up is not a factor.
    await app.storage.write(
      async (tx) => void (await tx.kysely.updateTable("totp_factors").set({ enabled_at: null }).execute()),
    );
    expect((await client.get("/v1/me/security")).body).toMatchObject({ totp: null } as never);
  });
});

scenarios("/v1/me/trusted-devices", (t) => {
  t.test("lists the person's own devices of this application by pages, without expired ones", async (app) => {
    const { user, tokens } = await app.signedIn();
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push(await trustDevice(app, user.id, { userAgent: FIREFOX }));
    await trustDevice(app, user.id, { lifetime: 1_000 });
    await trustDevice(app, user.id, { applicationId: app.defaultApplicationId });
    await trustDevice(app, (await app.user()).id);
    app.clock.advance(1_000);
    const client = app.client().bearer(tokens.accessToken);
    const first = await client.get("/v1/me/trusted-devices?limit=2");
    expect(fields<{ data: unknown[] }>(first).data[0]).toEqual({
      id: ids[0],
      device: "Firefox on Windows",
      created_at: "2026-03-01T12:00:00.250Z",
      last_used_at: null,
      expires_at: "2026-03-02T12:00:00.250Z",
    });
    expect(first.body.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await client.get(`/v1/me/trusted-devices?limit=2&cursor=${first.body.next_cursor}`);
    expect([second.body.data.map(({ id }) => id), second.body.next_cursor]).toEqual([ids.slice(2), null]);
    const prefixed = toPrefixedId("device", ids[0] ?? "");
    expect((await client.get(`/v1/me/trusted-devices?cursor=${prefixed}`)).body.data).toHaveLength(2);
    for (const query of ["cursor=x", `cursor=${toPrefixedId("session", ids[0] ?? "")}`, "limit=0", "user_id=1"]) {
      expect([query, (await client.get(`/v1/me/trusted-devices?${query}`)).code]).toEqual([query, "invalid_input"]);
    }
  });

  t.test("removes a device once, and writes to the audit log", async (app) => {
    const { user, tokens } = await app.signedIn();
    const id = await trustDevice(app, user.id);
    const kept = await trustDevice(app, user.id);
    const client = app.client().bearer(tokens.accessToken);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => client.delete(`/v1/me/trusted-devices/${toPrefixedId("device", id)}`)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(19).fill(404)]);
    expect(await devices(app)).toEqual([kept]);
    const entries = (await app.auditEntries()).filter(({ action }) => action === "trusted_device.removed");
    expect(entries).toMatchObject([{ actor_id: user.id, target_kind: "trusted_device", target_id: id }]);
  });

  t.test(
    "does not find devices of other people, applications or tenants, or expired ones (ASVS 8.2.2, 8.4.1)",
    async (app) => {
      const acme = await app.tenant("acme");
      const { user, tokens } = await app.signedIn();
      const stranger = await app.user();
      const foreigner = await app.user("eve@example.com", acme.id);
      const ids = [
        await trustDevice(app, stranger.id),
        await trustDevice(app, user.id, { applicationId: app.defaultApplicationId }),
        await trustDevice(app, foreigner.id, { applicationId: acme.applicationId, tenantId: acme.id }),
        await trustDevice(app, user.id, { lifetime: 1_000 }),
        tokens.session.sid,
      ];
      app.clock.advance(DAY / 24);
      const { accessToken } = await app.signIn(user);
      const client = app.client().bearer(accessToken);
      const before = await app.state();
      for (const id of ids) {
        expect((await client.delete(`/v1/me/trusted-devices/${id}`)).code).toBe("not_found");
        expect((await client.mutate("me.trustedDevices.remove", { id })).status).toBe(404);
      }
      for (const id of [toPrefixedId("session", ids[0] ?? ""), "1", "*", "%27", "..%2f"]) {
        expect([id, (await client.delete(`/v1/me/trusted-devices/${id}`)).code]).toEqual([id, "invalid_input"]);
      }
      expect(await app.state()).toBe(before);
    },
  );
});

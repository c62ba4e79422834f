import { expect } from "bun:test";
import type { PersonalExport } from "../../../src/sdk/client/api.gen.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { proveAddress, trustDevice } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { raise } from "../../support/second-factors.ts";
import { dump } from "../../support/tables.ts";
import { claimsOf } from "../../support/tokens.ts";
import { addFactors, SECRET_BYTES, tablesOfUsers } from "./support.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0";

/** The place of each table about a user in the export, or the reason why it has none. */
const PLACES: Record<string, keyof PersonalExport | { why: string }> = {
  former_emails: { why: "addresses that the user removed; deleted after seven days" },
  flows: { why: "steps of an unfinished sign-in; deleted within a day" },
  account_devices: "known_devices",
  outbox_mails: "mails",
  passkeys: "passkeys",
  password_credentials: "password",
  public_users: { why: "users of a public key, who have no session to ask with" },
  recovery_codes: "recovery_codes",
  sessions: "sessions",
  totp_factors: "totp",
  trusted_devices: "trusted_devices",
  user_emails: "emails",
};
/** Columns that no answer may hold. */
const SECRET_COLUMNS = /^(?:hash|sealed|sealed_secret|secret_digest|digest|public_key|credential_id)$/;

const exportOf = async (app: TestApp, token: string) => {
  const answer = await app.client().bearer(token).get("/v1/me/export");
  expect(answer.status).toBe(200);
  return { text: answer.text, data: fields<PersonalExport>(answer) };
};

async function fullPerson(app: TestApp) {
  const user = await app.user("ada@example.com");
  await proveAddress(app, user.id);
  const wrong = { ...user.login, password: "not-the-right-password" };
  await app.client({ "user-agent": "stranger/1" }).post("/v1/auth/login", wrong);
  const { body } = await app.client({ "user-agent": FIREFOX }).post("/v1/auth/login", user.login);
  await app.client().post("/v1/auth/refresh", { refresh_token: body.refresh_token });
  const elsewhere = await app.signIn(user, app.applicationId);
  await addFactors(app, user.id);
  await raise(app, String(claimsOf(body.access_token).sid));
  await trustDevice(app, user.id, { userAgent: FIREFOX });
  await backend(app).patch(`/v1/users/${user.id}`, {
    display_name: "Ada Lovelace",
    external_id: "42",
    metadata: { theme: "dark" },
    private_metadata: { note: "private-mark" },
  });
  return { user, elsewhere, token: body.access_token, wrong: wrong.password };
}

scenarios("GET /v1/me/export", (t) => {
  t.test("holds everything that is kept about the person, whichever application asks", async (app) => {
    const { user, elsewhere, token } = await fullPerson(app);
    const { data } = await exportOf(app, token);
    expect(data.user).toMatchObject({ id: user.id, display_name: "Ada Lovelace", metadata: { theme: "dark" } });
    expect(data.emails).toMatchObject([{ email: "ada@example.com", is_primary: true }]);
    const at = "2026-03-01T12:00:00.250Z";
    expect(data.password).toEqual({ set_at: at });
    expect(data.totp).toEqual({ created_at: at, enabled_at: at, last_used_at: null });
    expect(data.recovery_codes).toEqual({ left: 2, used: 1, created_at: at });
    expect(data.passkeys.map(({ name, rp_id }) => [name, rp_id])).toEqual([
      ["Phone", "localhost"],
      ["Key", "localhost"],
    ]);
    expect(data.trusted_devices).toMatchObject([{ device: "Firefox on Windows", user_agent: FIREFOX }]);
    expect(data.known_devices).toHaveLength(2);
    expect(
      data.sessions.map(({ id, application_id, device, ended_at }) => [id, application_id, device, ended_at]),
    ).toEqual([
      [elsewhere.session.sid, app.applicationId, null, null],
      [expect.any(String), app.defaultApplicationId, "Firefox on Windows", null],
    ]);
    expect(data.mails).toMatchObject([{ template: "new_device" }]);
    expect(
      data.audit_entries.map(({ action, actor, address, user_agent }) => [action, actor, address, user_agent]),
    ).toEqual([
      ["user.exported", "user", "127.0.0.1", expect.any(String)],
      // The addresses of the backend and of the stranger are not the person's.
      ["user.changed", "key", null, null],
      ["session.created", "user", "192.0.2.1", "test"],
      ["session.created", "user", "127.0.0.1", FIREFOX],
      ["sign_in.refused", "anonymous", null, null],
    ]);
    expect(data.audit_entries.filter((entry) => entry.details !== null).every(({ actor }) => actor === "user")).toBe(
      true,
    );
    expect(data.truncated).toEqual([]);
  });

  t.test("holds no secret, hash, key or private metadata, and nothing about another user", async (app) => {
    const other = await app.user("bob@example.com");
    await addFactors(app, other.id);
    const { user, token, wrong } = await fullPerson(app);
    const { text } = await exportOf(app, token);
    const kept = new Set<string>();
    for (const [table, rows] of Object.entries(await dump(app.storage))) {
      for (const row of rows) {
        if (row.user_id !== user.id && table !== "data_keys") continue;
        for (const [column, value] of Object.entries(row)) {
          if (!SECRET_COLUMNS.test(column) || value === null) continue;
          const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(value as Uint8Array);
          kept
            .add(bytes.toString("utf8"))
            .add(bytes.toString("base64url"))
            .add(bytes.toString("base64"))
            .add(bytes.toString("hex"));
        }
      }
    }
    expect(kept.size).toBeGreaterThan(20);
    const secrets = [
      ...app.secrets,
      ...kept,
      wrong,
      SECRET_BYTES.toString(),
      "private-mark",
      "argon2",
      other.id,
      "bob@",
    ];
    for (const secret of secrets) expect([secret, text.includes(secret)]).toEqual([secret, false]);
  });

  t.test("gives each table with a user a place, or a reason why not", async (app) => {
    expect(await tablesOfUsers(app)).toEqual(Object.keys(PLACES).sort());
  });

  t.test("cuts each list at the newest 1,000, and says so", async (app) => {
    const { user, tokens } = await app.signedIn();
    const rows = Array.from({ length: 1_005 }, (_, index) => ({
      tenant_id: app.tenantId,
      occurred_at: app.clock.now(),
      actor_kind: "user" as const,
      actor_id: user.id,
      action: `test.${index}`,
      target_kind: "user",
      target_id: user.id,
      application_id: null,
      address: null,
      user_agent: null,
      request_id: null,
      details: "{}",
      chain_mac: null,
    }));
    await app.storage.write(async ({ kysely }) => {
      for (let i = 0; i < rows.length; i += 201) {
        await kysely
          .insertInto("audit_entries")
          .values(rows.slice(i, i + 201) as never)
          .execute();
      }
    });
    const { data } = await exportOf(app, tokens.accessToken);
    expect([data.audit_entries.length, data.truncated]).toEqual([1_000, ["audit_entries"]]);
    expect(data.audit_entries[1]?.action).toBe("test.1004");
    expect(new Set(data.audit_entries.map(({ action }) => action)).size).toBe(1_000);
  });

  t.test("leaves a trace, takes no input, and serves anonymous people too", async (app) => {
    const { user, tokens } = await app.signedIn();
    expect((await app.client().bearer(tokens.accessToken).get(`/v1/me/export?user_id=${user.id}`)).status).toBe(200);
    await app.storage.write(async ({ kysely }) => {
      await kysely.updateTable("users").set({ is_anonymous: 1 }).execute();
      await kysely.deleteFrom("user_emails").execute();
    });
    const { data } = await exportOf(app, tokens.accessToken);
    expect([data.user.is_anonymous, data.emails]).toEqual([true, []]);
    expect((await app.audit()).filter((action) => action === "user.exported")).toHaveLength(2);
  });
});

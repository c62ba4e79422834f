import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";
import { PASSWORD } from "../support/template.ts";
import { workOf } from "../support/work.ts";

const shows = (app: TestApp, body: { email: string; password: string }) =>
  workOf(app, () => app.client().post("/v1/auth/login", body));

scenarios("answers do not tell who has an account", (t) => {
  t.test(
    "every refused sign-in (unknown, wrong, disabled, deleted, no password, no address) gives one answer, one hash and two writes (ASVS 6.3.8)",
    async (app) => {
      const known = await app.user("known@example.com");
      const disabled = await app.user("disabled@example.com");
      await app.disable("users", disabled.id);
      const deleted = await app.user("deleted@example.com");
      const bare = await app.user("bare@example.com");
      await app.storage.write(async (tx) => {
        await tx.kysely.updateTable("users").set({ deleted_at: 1 }).where("id", "=", deleted.id).execute();
        await tx.kysely.deleteFrom("password_credentials").where("user_id", "=", bare.id).execute();
      });
      // The first refusal of a minute writes to the audit log, with one statement more.
      await shows(app, { email: "first@example.com", password: PASSWORD });
      const expected = await shows(app, { email: known.email, password: "not-the-right-password" });
      expect(expected).toMatchObject({
        status: 401,
        error: { code: "invalid_credentials", message: "wrong password or unknown email", details: null },
        cookies: 0,
        hashes: 1,
        writes: 2,
      });
      const right = [
        disabled.email,
        deleted.email,
        bare.email,
        "nobody@example.com",
        "no address at all",
        "a@b",
        "x".repeat(1_000),
      ];
      for (const email of right) {
        expect([email, await shows(app, { email, password: PASSWORD })]).toEqual([email, expected]);
      }
      // The audit log has one entry for a flood of one kind (ASVS 16.3.1).
      expect(await app.audit()).toEqual(["sign_in.refused"]);
      expect(await app.storage.read.kysely.selectFrom("sessions").select("id").execute()).toEqual([]);
    },
  );

  t.test(
    "limits count addresses without an account like addresses with one",
    async (app) => {
      const { email } = await app.user();
      const statuses = async (address: string) => {
        const seen: number[] = [];
        for (let i = 0; i < 5; i++) {
          seen.push(
            (await app.client().post("/v1/auth/login", { email: address, password: "not-the-right-one-3" })).status,
          );
        }
        return seen;
      };
      expect(await statuses(email)).toEqual([401, 401, 401, 429, 429]);
      expect(await statuses("nobody@example.com")).toEqual([401, 401, 401, 429, 429]);
    },
    { settings: { limit_account: "3/10m" } },
  );

  t.test("another user's session id and an unknown one give the same 404", async (app) => {
    const { tokens } = await app.signedIn();
    const { tokens: other } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const foreign = await client.delete(`/v1/auth/sessions/${other.session.sid}`);
    const unknown = await client.delete("/v1/auth/sessions/018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f");
    expect([foreign.status, foreign.code, foreign.body.error.message]).toEqual([
      unknown.status,
      unknown.code,
      unknown.body.error.message,
    ]);
    expect(foreign.status).toBe(404);
    expect((await app.client().bearer(other.accessToken).get("/v1/auth/session")).status).toBe(200);
  });
});

import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import { scenarios } from "../../support/scenarios.ts";

scenarios("GET /v1/users", (t) => {
  t.test("pages through the tenant's users, oldest first, with the members for backends only", async (app) => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await app.user(`p${i}@example.com`)).id);
    const client = app.client().bearer(app.secretKey);
    const first = await client.get("/v1/users?limit=3");
    expect(first.body.data.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    expect(first.body.data[0]).toMatchObject({ email: "p0@example.com", private_metadata: {}, disabled: false });
    const second = await client.get(`/v1/users?limit=3&cursor=${first.body.next_cursor}`);
    expect(second.body.data.map(({ id }) => id)).toEqual(ids.slice(3));
    expect(second.body.next_cursor).toBeNull();
    const prefixed = toPrefixedId("user", ids[2] ?? "");
    expect((await client.get(`/v1/users?cursor=${prefixed}`)).body.data).toHaveLength(2);
    expect(first.text).not.toContain("argon2");
  });

  t.test("finds a user by address, in any spelling of it, and never a tombstone", async (app) => {
    const user = await app.user("Ada@example.com");
    const client = app.client().bearer(app.secretKey);
    for (const email of ["Ada@example.com", "ADA%40EXAMPLE.COM"]) {
      expect((await client.get(`/v1/users?email=${email}`)).body.data.map(({ id }) => id)).toEqual([user.id]);
    }
    expect((await client.get("/v1/users?email=nobody@example.com")).body.data).toEqual([]);
    await app.storage.write(async (tx) => {
      await tx.kysely.updateTable("users").set({ deleted_at: 1 }).where("id", "=", user.id).execute();
    });
    expect((await client.get("/v1/users")).body.data).toEqual([]);
  });

  t.test("a key sees only its own tenant's users, whatever it asks for (ASVS 8.4.1)", async (app) => {
    const acme = await app.tenant("acme");
    const mine = await app.user("ada@example.com");
    const theirs = await app.user("eve@example.com", acme.id);
    const see = async (key: string, path: string, headers: Record<string, string> = {}) => {
      const answer = await app.client(headers).bearer(key).get(path);
      return answer.status === 200 ? answer.body.data.map(({ id }) => id) : answer.code;
    };
    expect(await see(app.secretKey, "/v1/users")).toEqual([mine.id]);
    expect(await see(acme.secretKey, "/v1/users")).toEqual([theirs.id]);
    expect(await see(acme.secretKey, "/t/acme/v1/users")).toEqual([theirs.id]);
    expect(await see(app.secretKey, "/t/acme/v1/users")).toBe("application_mismatch");
    expect(await see(app.secretKey, "/v1/users?email=eve@example.com")).toEqual([]);
    expect(await see(app.secretKey, `/v1/users?cursor=${theirs.id}`)).toEqual([]);
    expect(await see(app.secretKey, "/v1/users", { "x-application-id": acme.applicationId })).toBe(
      "application_mismatch",
    );
    expect(await see(app.secretKey, `/v1/users?tenant_id=${acme.id}`)).toBe("invalid_input");
  });

  t.test(
    "refuses a secret key that is wrong, truncated, revoked, expired, unknown or without the scope",
    async (app) => {
      const get = async (authorization: string) => {
        const { status, code } = await app.client({ authorization }).get("/v1/users");
        return code ?? status;
      };
      const key = app.secretKey;
      expect(await get(`Bearer ${key}`)).toBe(200);
      expect(await get(`bearer ${key}`)).toBe(200);
      const last = key.at(-1) === "A" ? "B" : "A";
      for (const bad of [
        key.slice(0, -1),
        `${key}A`,
        key.slice(0, -1) + last,
        key.toUpperCase(),
        "sally_sk_",
        "sally_sk_x",
        "sally_hs_x",
      ]) {
        expect(["invalid_credentials", "authentication_required"]).toContain(String(await get(`Bearer ${bad}`)));
      }
      for (const other of [
        "",
        key,
        `Basic ${btoa(`api_key:${key}`)}`,
        `Bearer ${key} ${key}`,
        `Bearer ${key},${key}`,
      ]) {
        expect(["invalid_credentials", "authentication_required"]).toContain(String(await get(other)));
      }
      expect(await get(`Bearer ${await app.newSecretKey({ scopes: ["forward"] })}`)).toBe("insufficient_scope");
      expect(await get(`Bearer ${await app.newSecretKey({ scopes: ["users:read"] })}`)).toBe(200);
      const set = (changes: { revoked_at?: number; expires_at?: number }) =>
        app.storage.write(async (tx) => void (await tx.kysely.updateTable("api_keys").set(changes).execute()));
      await set({ expires_at: app.clock.now() });
      expect(await get(`Bearer ${key}`)).toBe("invalid_credentials");
      await set({ expires_at: app.clock.now() + 1, revoked_at: 1 });
      expect(await get(`Bearer ${key}`)).toBe("invalid_credentials");
    },
  );

  t.test("the database keeps only the digest of a secret key", async (app) => {
    const secret = app.secretKey.split("_").at(-1) ?? "?";
    expect(await app.state()).not.toContain(secret.slice(-40));
  });
});

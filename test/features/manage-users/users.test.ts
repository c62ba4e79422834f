import { expect } from "bun:test";
import { newId, toPrefixedId } from "../../../src/core/ids.ts";
import { insertUser } from "../../../src/identity/users/store.ts";
import type { WireManagedUser } from "../../../src/identity/users/wire.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

const NOBODY = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const create = (app: TestApp, body: unknown) => backend(app).post("/v1/users", body);
const deep = (levels: number): unknown => (levels === 0 ? 1 : { in: deep(levels - 1) });

scenarios("/v1/users", (t) => {
  t.test("creates a user with an unverified address, and the audit log names the key", async (app) => {
    const made = await create(app, {
      email: " Ada@Example.COM",
      external_id: "acme|42",
      display_name: " Ada ",
      metadata: { plan: "free" },
      private_metadata: { note: "vip" },
    });
    expect(made.status).toBe(201);
    expect(made.body as unknown).toEqual({
      id: expect.any(String),
      external_id: "acme|42",
      email: "Ada@example.com",
      email_verified: false,
      display_name: "Ada",
      is_anonymous: false,
      metadata: { plan: "free" },
      private_metadata: { note: "vip" },
      disabled: false,
      created_at: "2026-03-01T12:00:00.250Z",
      updated_at: "2026-03-01T12:00:00.250Z",
    });
    expect(await app.auditEntries()).toMatchObject([
      { action: "user.created", actor_kind: "key", target_kind: "user", target_id: made.body.id },
    ]);
    const read = await backend(app).get(`/v1/users/${toPrefixedId("user", made.body.id).toLowerCase()}`);
    expect(read.body).toEqual(made.body);
    expect((await create(app, {})).status).toBe(201);
  });

  t.test("a taken address or external id is 409 and named in the answer; nothing is created", async (app) => {
    await create(app, { email: "ada@example.com", external_id: "42" });
    const before = await app.state();
    const tries: [Record<string, unknown>, string][] = [
      [{ email: "ADA@example.com" }, "email"],
      [{ external_id: "42" }, "external_id"],
      [{ email: "eve@example.com", external_id: "42" }, "external_id"],
      [{ email: "ada@example.com", external_id: "43" }, "email"],
    ];
    for (const [body, path] of tries) {
      const refused = await create(app, body);
      expect([JSON.stringify(body), refused.status, refused.code]).toEqual([JSON.stringify(body), 409, "conflict"]);
      expect(refused.body.error.details).toEqual([{ path, reason: "is taken" }]);
    }
    expect(await app.state()).toBe(before);
    const acme = await app.tenant("acme");
    const elsewhere = await backend(app, acme.secretKey).post("/v1/users", {
      email: "ada@example.com",
      external_id: "42",
    });
    expect(elsewhere.status).toBe(201);
  });

  t.test("refuses bad fields by name, and creates or changes nothing", async (app) => {
    const { id } = (await create(app, { external_id: "42" })).body;
    const before = await app.state();
    const bad: [Record<string, unknown>, string][] = [
      [{ external_id: "" }, "external_id"],
      [{ external_id: "x".repeat(256) }, "external_id"],
      [{ external_id: "a\u0000b" }, "external_id"],
      [{ external_id: 42 }, "external_id"],
      [{ display_name: " " }, "display_name"],
      [{ display_name: "a\nb" }, "display_name"],
      [{ metadata: [] }, "metadata"],
      [{ metadata: { x: "y".repeat(9_000) } }, "metadata"],
      [{ private_metadata: deep(9) }, "private_metadata"],
      // Mass assignment (ASVS 8.2.3).
      [{ id: NOBODY }, "id"],
      [{ tenant_id: NOBODY }, "tenant_id"],
      [{ email_verified: true }, "email_verified"],
      [{ disabled: true }, "disabled"],
      [{ deleted_at: null }, "deleted_at"],
      [{ created_at: "2020-01-01T00:00:00Z" }, "created_at"],
      [{ public_metadata: {} }, "public_metadata"],
      [{ password: "walnut-bridge-otter-51" }, "password"],
    ];
    for (const [body, path] of bad) {
      const answers = { create: await create(app, body), update: await backend(app).patch(`/v1/users/${id}`, body) };
      for (const [name, refused] of Object.entries(answers)) {
        expect([name, path, refused.status, refused.code]).toEqual([name, path, 400, "invalid_input"]);
        expect(refused.body.error.details).toMatchObject([{ path }]);
      }
    }
    for (const email of ["", "ada", "ada@example.com,eve@example.com", ["ada@example.com"]]) {
      expect((await create(app, { email })).code).toBe("invalid_input");
    }
    // The owner proves an address; a backend does not replace it.
    expect((await backend(app).patch(`/v1/users/${id}`, { email: "eve@example.com" })).code).toBe("invalid_input");
    expect(await app.state()).toBe(before);
  });

  t.test("an update merges metadata (RFC 7396), replaces other members, and leaves the rest alone", async (app) => {
    const made = await create(app, {
      external_id: "42",
      display_name: "Ada",
      metadata: { plan: "free", trial: true, limits: { seats: 1, projects: 2 }, tags: ["a", "b"] },
      private_metadata: { note: "vip" },
    });
    const path = `/v1/users/${toPrefixedId("user", made.body.id)}`;
    app.clock.advance(1_000);
    const steps: [Record<string, unknown>, Partial<WireManagedUser>][] = [
      [
        { metadata: { plan: "pro", trial: null, limits: { seats: 5 }, tags: ["c"] } },
        {
          metadata: { plan: "pro", limits: { seats: 5, projects: 2 }, tags: ["c"] },
          private_metadata: { note: "vip" },
          display_name: "Ada",
          external_id: "42",
          updated_at: "2026-03-01T12:00:01.250Z",
          created_at: "2026-03-01T12:00:00.250Z",
        },
      ],
      [{ metadata: { limits: "none", absent: null } }, { metadata: { plan: "pro", limits: "none", tags: ["c"] } }],
      [
        { metadata: { limits: { a: { b: null, c: 1 } } } },
        { metadata: { plan: "pro", limits: { a: { c: 1 } }, tags: ["c"] } },
      ],
      [{ private_metadata: { note: null } }, { private_metadata: {}, display_name: "Ada" }],
      [
        { display_name: null, external_id: null },
        { display_name: null, external_id: null },
      ],
      [
        { display_name: "Grace", external_id: "43" },
        { display_name: "Grace", external_id: "43" },
      ],
      [{}, { display_name: "Grace", external_id: "43" }],
    ];
    for (const [body, expected] of steps) {
      const answer = await backend(app).patch(path, body);
      expect([JSON.stringify(body), answer.status]).toEqual([JSON.stringify(body), 200]);
      expect(fields<WireManagedUser>(answer)).toMatchObject(expected);
      expect(fields<WireManagedUser>(answer).metadata).toEqual(
        fields<WireManagedUser>(await backend(app).get(path)).metadata,
      );
    }
    // The limit is on the merged result, not on the request.
    const half = { text: "x".repeat(5_000) };
    expect((await backend(app).patch(path, { private_metadata: { one: half } })).status).toBe(200);
    const refused = await backend(app).patch(path, { private_metadata: { two: half } });
    expect([refused.status, refused.body.error.details]).toMatchObject([400, [{ path: "private_metadata" }]]);
    const entries = (await app.auditEntries()).filter((entry) => entry.action === "user.changed");
    expect(entries[0]).toMatchObject({ actor_kind: "key", target_id: made.body.id });
    expect(JSON.parse(entries[0]?.details ?? "")).toEqual({ fields: ["public_metadata"] });
    const body = '{"metadata":{"__proto__":{"admin":true}}}';
    const proto = await backend(app).send("PATCH", path, { body, headers: { "content-type": "application/json" } });
    expect(proto.status).toBe(400);
  });

  t.test("twenty updates at once lose no member", async (app) => {
    const { id } = (await create(app, {})).body;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        backend(app).patch(`/v1/users/${id}`, { metadata: { [`m${index}`]: index } }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array<number>(20).fill(200));
    const { metadata } = fields<WireManagedUser>(await backend(app).get(`/v1/users/${id}`));
    expect(Object.keys(metadata)).toHaveLength(20);
  });

  t.test("lists by address, external id and prefix, page by page, within its own tenant", async (app) => {
    const acme = await app.tenant("acme");
    await backend(app, acme.secretKey).post("/v1/users", { email: "ada@acme.example", display_name: "Ada of Acme" });
    const people: [string, string, string][] = [
      ["ada@example.com", "1", "Ada Lovelace"],
      ["grace@example.com", "2", "Grace Hopper"],
      ["adele@example.com", "3", "Ｇrace Kelly"],
      ["z@example.com", "4", "ädna"],
      ["under_score@example.com", "5", "100% Ada"],
    ];
    for (const [email, external_id, display_name] of people) {
      app.clock.advance(1);
      expect((await create(app, { email, external_id, display_name })).status).toBe(201);
    }
    const found = async (query: Record<string, string>) => {
      const answer = await backend(app).get(`/v1/users?${new URLSearchParams(query)}`);
      expect(answer.status).toBe(200);
      return fields<{ data: WireManagedUser[] }>(answer)
        .data.map((user) => user.external_id)
        .join("");
    };
    const queries: [Record<string, string>, string][] = [
      [{}, "12345"],
      [{ search: "ada" }, "1"],
      [{ search: "AD" }, "13"],
      [{ search: "grace" }, "23"],
      [{ search: "Grace H" }, "2"],
      [{ search: "Ä" }, "4"],
      [{ search: "%" }, ""],
      [{ search: "under_" }, "5"],
      [{ search: "underx" }, ""],
      [{ search: "100%" }, "5"],
      [{ search: "'; DROP TABLE users; --" }, ""],
      [{ search: "lovelace" }, ""],
      [{ email: "ADA@example.com" }, "1"],
      [{ email: "ada@acme.example" }, ""],
      [{ external_id: "3" }, "3"],
      [{ external_id: "3", search: "adele" }, "3"],
      [{ external_id: "3", search: "ada" }, ""],
    ];
    for (const [query, expected] of queries) {
      expect([JSON.stringify(query), await found(query)]).toEqual([JSON.stringify(query), expected]);
    }
    const first = fields<{ data: WireManagedUser[]; next_cursor: string }>(
      await backend(app).get("/v1/users?search=a&limit=1"),
    );
    expect(first.data.map((user) => user.external_id)).toEqual(["1"]);
    const rest = await found({ search: "a", limit: "1", cursor: toPrefixedId("user", first.next_cursor) });
    expect(rest).toBe("3");
    for (const query of ["search=", "search=%00", "external_id=%00", "email=x", "cursor=x", "limit=0", "q=ada"]) {
      const refused = await backend(app).get(`/v1/users?${query}`);
      expect([query, refused.code]).toEqual([query, "invalid_input"]);
    }
    // The new name is found, the old one is not.
    const { id } = fields<{ data: WireManagedUser[] }>(await backend(app).get("/v1/users?external_id=1")).data[0] ?? {};
    await backend(app).patch(`/v1/users/${id}`, { display_name: "Countess" });
    expect([await found({ search: "count" }), await found({ search: "ada l" })]).toEqual(["1", ""]);
  });

  t.test("a prefix of every user costs no more than a prefix of a thousand users", async (app) => {
    await app.storage.write(async (tx) => {
      for (let index = 0; index < 1_010; index++) {
        const id = newId(app.clock.now() + index);
        const display_name = `Person ${String(index).padStart(4, "0")}`;
        await insertUser(tx, 1, { id, tenant_id: app.tenantId, display_name });
      }
    });
    let found = 0;
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const page = fields<{ data: WireManagedUser[]; next_cursor: string | null }>(
        await backend(app).get(`/v1/users?search=person&limit=100${query}`),
      );
      found += page.data.length;
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(found).toBe(1_000);
    expect((await backend(app).get("/v1/users?search=person%201009")).body.data).toHaveLength(1);
  });

  t.test(
    "Idempotency-Key creates once, also when twenty come at once; a deleted user is not created again",
    async (app) => {
      const headers = { "idempotency-key": "user-1" };
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => backend(app).post("/v1/users", { email: "ada@example.com" }, { headers })),
      );
      expect(answers.map((answer) => answer.status)).toEqual(Array<number>(20).fill(201));
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
      expect(await app.audit()).toEqual(["user.created"]);
      await backend(app).delete(`/v1/users/${answers[0]?.body.id}`);
      expect((await backend(app).post("/v1/users", { email: "ada@example.com" }, { headers })).code).toBe("not_found");
    },
  );
});

import { expect } from "bun:test";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { WireApiKey } from "../../../src/features/manage-api-keys/wire.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";

const NOBODY = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const page = (answer: Parameters<typeof fields>[0]) =>
  fields<{ data: WireApiKey[]; next_cursor: string | null }>(answer);

scenarios("access to API keys", (t) => {
  t.test("a key of another application or tenant looks like an unknown one on every route", async (app) => {
    const acme = await app.tenant("acme");
    const sibling = await app.application();
    const own = await backend(app).post("/v1/api-keys", { name: "own", scopes: ["admin"] });
    const strangers = [acme.secretKey, await app.newSecretKey({ applicationId: sibling })];
    const before = await app.state();
    for (const stranger of strangers) {
      for (const id of [own.body.id, toPrefixedId("apiKey", own.body.id)]) {
        const never = await backend(app, stranger).get(`/v1/api-keys/${NOBODY}`);
        for (const [method, path] of [
          ["GET", ""],
          ["DELETE", ""],
          ["POST", "/rotate"],
        ] as const) {
          const options = method === "POST" ? { json: {} } : {};
          const answer = await backend(app, stranger).send(method, `/v1/api-keys/${id}${path}`, options);
          expect([method, path, answer.status, answer.code]).toEqual([method, path, 404, "not_found"]);
          expect(answer.body.error.message).toBe(never.body.error.message);
        }
      }
      const listed = page(await backend(app, stranger).get("/v1/api-keys"));
      expect(listed.data.map((key) => key.application_id)).not.toContain(app.applicationId);
    }
    expect(await app.state()).toBe(before);
    const mismatch = await backend(app, app.secretKey)
      .with({ "x-application-id": sibling })
      .post("/v1/api-keys", { name: "x", scopes: ["admin"] });
    expect([mismatch.status, mismatch.code]).toEqual([403, "application_mismatch"]);
  });

  t.test("ids come from the path: an id in the body is refused, and so is the prefix of another kind", async (app) => {
    const one = await backend(app).post("/v1/api-keys", { name: "one", scopes: ["admin"] });
    const other = await backend(app).post("/v1/api-keys", { name: "other", scopes: ["admin"] });
    const before = await app.state();
    const twice = await backend(app).post(`/v1/api-keys/${one.body.id}/rotate`, { id: other.body.id });
    expect([twice.status, twice.body.error.details]).toEqual([400, [{ path: "id", reason: "is taken from the path" }]]);
    expect((await backend(app).delete(`/v1/api-keys/${one.body.id}?id=${other.body.id}`)).status).toBe(400);
    for (const id of [toPrefixedId("user", one.body.id), "x", "%00", `${one.body.id}0`]) {
      const refused = await backend(app).get(`/v1/api-keys/${id}`);
      expect([id, refused.status]).toEqual([id, 400]);
    }
    expect(await app.state()).toBe(before);
  });

  t.test("each route asks for its own scope on both transports, and takes no other credential", async (app) => {
    const { tokens } = await app.signedIn();
    const id = (await backend(app).post("/v1/api-keys", { name: "x", scopes: ["admin"] })).body.id;
    const body = { name: "x", scopes: ["users:read"] };
    const routes: [string, string, unknown, string, string, unknown][] = [
      ["POST", "/v1/api-keys", body, "api-keys:write", "apiKeys.create", body],
      ["GET", "/v1/api-keys", undefined, "api-keys:read", "apiKeys.list", {}],
      ["GET", `/v1/api-keys/${id}`, undefined, "api-keys:read", "apiKeys.get", { id }],
      ["DELETE", `/v1/api-keys/${id}`, undefined, "api-keys:write", "apiKeys.revoke", { id }],
      ["POST", `/v1/api-keys/${id}/rotate`, {}, "api-keys:write", "apiKeys.rotate", { id }],
    ];
    const wrong = {
      "api-keys:read": await app.newSecretKey({ scopes: ["api-keys:write", "users:write"] }),
      "api-keys:write": await app.newSecretKey({ scopes: ["api-keys:read", "users:write"] }),
    };
    const before = await app.state();
    for (const [method, path, json, scope, name, input] of routes) {
      const options = json === undefined ? {} : { json };
      const key = wrong[scope as keyof typeof wrong];
      const trpc = (secret: string) =>
        method === "GET" ? backend(app, secret).query(name, input) : backend(app, secret).mutate(name, input);
      const refused = await backend(app, key).send(method, path, options);
      expect([path, refused.status, refused.code]).toEqual([path, 403, "insufficient_scope"]);
      expect(refused.headers.get("www-authenticate")).toBe(`Bearer error="insufficient_scope", scope="${scope}"`);
      expect((await trpc(key)).status).toBe(403);
      const basic = Buffer.from(`${app.secretKey}:`).toString("base64");
      const headers: Record<string, string>[] = [
        {},
        { authorization: `Basic ${basic}` },
        { authorization: app.secretKey },
        { authorization: `Bearer ${tokens.accessToken}` },
        { authorization: `Bearer ${tokens.refreshToken}` },
        { authorization: `Bearer ${app.secretKey.slice(0, -1)}${app.secretKey.endsWith("x") ? "y" : "x"}` },
        { cookie: `sallyport_at=${app.secretKey}` },
      ];
      for (const header of headers) {
        const answer = await app.client(header).send(method, path, options);
        expect([path, Object.values(header)[0]?.slice(0, 12), answer.status]).toEqual([
          path,
          Object.values(header)[0]?.slice(0, 12),
          401,
        ]);
      }
    }
    expect(await app.state()).toBe(before);
  });

  t.test("lists go by cursor, with each key once and without secrets", async (app) => {
    for (let index = 0; index < 5; index++) {
      app.clock.advance(1);
      await backend(app).post("/v1/api-keys", { name: `key ${index}`, scopes: ["users:read"] });
    }
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${toPrefixedId("apiKey", cursor)}`;
      const answer = await backend(app).get(`/v1/api-keys?limit=2${query}`);
      expect(answer.text).not.toContain("sally_");
      names.push(...page(answer).data.map((key) => key.name));
      cursor = page(answer).next_cursor;
    } while (cursor !== null);
    expect(names).toEqual(["First key", "key 0", "key 1", "key 2", "key 3", "key 4"]);
    for (const query of ["limit=0", "limit=101", "limit=x", "cursor=x", "kind=secret"]) {
      expect((await backend(app).get(`/v1/api-keys?${query}`)).code).toBe("invalid_input");
    }
  });

  t.test("the API description has the id in the path and not in the body", async (app) => {
    const { document } = app.contract;
    const operation = document.paths["/v1/api-keys/{id}/rotate"]?.post as unknown as {
      parameters: { name: string; in: string }[];
      requestBody: { required: boolean; content: { "application/json": { schema: object; example: object } } };
    };
    const { schema, example } = operation.requestBody.content["application/json"];
    expect(operation.requestBody.required).toBe(false);
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    expect(Object.keys((schema as { properties: object }).properties)).toEqual(["overlap_seconds"]);
    expect(schema).not.toHaveProperty("required");
    expect(example).toEqual({ overlap_seconds: 3600 });
    expect(operation.parameters).toContainEqual(expect.objectContaining({ name: "id", in: "path" }));
    expect(operation.parameters).toContainEqual(expect.objectContaining({ name: "idempotency-key", in: "header" }));
  });
});

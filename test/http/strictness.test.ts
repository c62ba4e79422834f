import { expect } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { type IdKind, toPrefixedId } from "../../src/core/ids.ts";
import { proceduresOf } from "../../src/rpc/invoke.ts";
import type { TestApp } from "../support/app.ts";
import type { Answer, Client } from "../support/client.ts";
import { scenarios } from "../support/scenarios.ts";

interface Described {
  operationId: string;
  parameters?: { name: string; in: string; schema: { type?: string } }[];
  requestBody?: { content: { "application/json": { schema: object; example?: unknown } } };
}
interface Operation extends Described {
  method: string;
  path: string;
}

const ajv = new Ajv2020({ strict: false, formats: { uuid: true, "date-time": true } });

function operationsOf(app: TestApp): Operation[] {
  const paths = app.contract.document.paths as unknown as Record<string, Record<string, Described>>;
  const procedures = proceduresOf(app.app.router);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, one]) =>
      Object.hasOwn(procedures, one.operationId) ? [{ ...one, method: method.toUpperCase(), path }] : [],
    ),
  );
}

/** Returns a caller whom the gate admits: a key for the management procedures, and a new user's session for the others. */
async function admitted(app: TestApp, { operationId }: Operation): Promise<Client> {
  const access = proceduresOf(app.app.router)[operationId]?._def.meta?.access;
  if (access?.kind === "key") return app.client().bearer(app.secretKey);
  return app.client().bearer((await app.signedIn()).tokens.accessToken);
}

/** Returns whether the server refused the field as malformed. */
function refuses({ status, body }: Answer, field: string): boolean {
  if (status !== 400 || body.error.code !== "invalid_input") return false;
  return (body.error.details as { path: string }[]).some(({ path }) => path === field);
}

const UUID = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const KINDS: IdKind[] = ["application", "user", "session", "apiKey", "resource", "email", "passkey", "device"];
const TEXTS = [
  ...KINDS.map((kind) => toPrefixedId(kind, UUID)),
  ...[UUID, UUID.toUpperCase(), toPrefixedId("user", UUID).toUpperCase(), `${UUID}0`, `usr_8${"Z".repeat(25)}`],
  ...["", " ", "0", "7", "-1", "101", "1e1", "null", "true", "yes", "\u0000", " a\t", "a\u202eb", "ä", "x".repeat(300)],
];

/** A text as its parameter's type, as OpenAPI writes it. */
function typed(text: string, type: string | undefined): unknown {
  if ((type === "integer" || type === "number") && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** Fields with rules that JSON Schema cannot tell: which text is an address, a future time, a safe password or an existing name. */
const BEYOND_SCHEMAS = new Set([
  "email",
  "new_email",
  "password",
  "new_password",
  "expires_at",
  "audience",
  "organization",
]);

scenarios("the API's description", (t) => {
  t.test("admits the same texts in paths, queries and headers as the server", async (app) => {
    const differing: unknown[] = [];
    let compared = 0;
    for (const operation of operationsOf(app)) {
      const client = await admitted(app, operation);
      for (const { name, in: place, schema } of operation.parameters ?? []) {
        if (place === "header" || BEYOND_SCHEMAS.has(name)) continue;
        const admits = ajv.compile(schema);
        for (const text of TEXTS) {
          // Neither an empty part nor a dot is a path of this operation.
          if (place === "path" && text === "") continue;
          const value = encodeURIComponent(text);
          const path = operation.path.replaceAll(/\{\w+\}/g, place === "path" ? value : UUID);
          const answer = await client.send(
            operation.method,
            place === "path" ? path : `${path}?${name}=${value}`,
            operation.requestBody ? { json: {} } : {},
          );
          compared++;
          const described = admits(typed(text, schema.type));
          const taken = !refuses(answer, name);
          if (described !== taken)
            differing.push([operation.operationId, name, text, { described, status: answer.status }]);
        }
      }
    }
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(500);
  });

  t.test("admits the same bodies as the server", async (app) => {
    const differing: unknown[] = [];
    let [taken, refused] = [0, 0];
    for (const operation of operationsOf(app)) {
      const content = operation.requestBody?.content["application/json"];
      if (!content) continue;
      const admits = ajv.compile(content.schema);
      const client = await admitted(app, operation);
      for (const body of variantsOf(content.schema, content.example)) {
        app.clock.advance(1_000);
        const path = operation.path.replaceAll(/\{\w+\}/g, UUID);
        const { status, body: answer } = await client.send(operation.method, path, { json: body });
        // The gate had refused the caller before anything was read.
        if (status === 401 || status === 403 || status === 429) continue;
        const described = admits(body);
        const malformed = answer.error?.code === "invalid_input";
        if (described) taken++;
        else refused++;
        if (described === malformed) differing.push([operation.operationId, body, { described, status, answer }]);
      }
    }
    expect(differing).toEqual([]);
    expect(taken).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(200);
  });
});

/** Returns the example, and the example with each field changed: left out, of another type, or added. */
function variantsOf(schema: object, example: unknown): unknown[] {
  const whole = (example ?? {}) as Record<string, unknown>;
  const names = Object.keys((schema as { properties?: object }).properties ?? {});
  const variants: unknown[] = [whole, {}, { ...whole, unheard_of: 1 }];
  for (const name of names) {
    if (BEYOND_SCHEMAS.has(name)) continue;
    const { [name]: _, ...without } = whole;
    variants.push(without);
    for (const value of [null, "", " ", 7, true, [], {}, "a\u202eb", "a\u0000"])
      variants.push({ ...whole, [name]: value });
  }
  return variants;
}

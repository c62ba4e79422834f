import type { AnyRouter } from "@trpc/server";
import { type ErrorCode, errorCatalogue } from "../core/errors.ts";
import { type IdKind, patternOfId } from "../core/ids.ts";
import * as z from "../core/zod.ts";
import { SCOPE_MEANINGS } from "../identity/api-keys/scopes.ts";
import { type Callable, proceduresOf } from "../rpc/invoke.ts";
import type { ProcedureMeta } from "../rpc/procedures.ts";
import type { Edge, Handler } from "./edge.ts";
import { oauthPaths, oauthSchemas, oauthSecuritySchemes } from "./oauth/description.ts";
import { ALWAYS, codesOf, WITH_BODY, WITH_INPUT } from "./openapi-errors.ts";
import { type PublicDocument, publicDocument, publicJson } from "./public-document.ts";
import { publicTokenInput } from "./public-issuer.ts";

/** Serves the description. Builds it at the first request and keeps it, because it depends only on the program. */
export function openApiHandler(router: AnyRouter, _edge: Edge, version: string): Handler {
  let document: PublicDocument | undefined;
  return (exchange) => {
    document ??= publicDocument(openApiDocument(router, version), 300);
    return publicJson(exchange, document);
  };
}

const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    type: z.string(),
    request_id: z.string(),
    details: z.union([
      z.array(z.strictObject({ path: z.string(), reason: z.string() })),
      z.record(z.string(), z.unknown()),
      z.null(),
    ]),
  }),
});

/** Builds OpenAPI 3.1 from the schemas that the procedures check with. */
export function openApiDocument(router: AnyRouter, version: string): Record<string, unknown> {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, procedure] of Object.entries(proceduresOf(router))) {
    const meta = procedure._def.meta;
    if (!meta?.rest) continue;
    const path = paths[meta.rest.path] ?? {};
    paths[meta.rest.path] = path;
    path[meta.rest.method.toLowerCase()] = operation(schemas, name, procedure, meta, meta.rest);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sallyport",
      version,
      description: "An authentication appliance. Every answer is JSON; every error has the same envelope.",
    },
    paths: {
      ...paths,
      ...documents,
      ...publicIssuer(),
      ...oauthPaths(errorResponses(["misdirected_request"]), errorResponses(ALWAYS)),
    },
    components: {
      schemas: { ...schemas.components, Error: schemas.of(errorSchema, "output"), ...oauthSchemas },
      securitySchemes: {
        accessToken: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A user's access token." },
        accessCookie: { type: "apiKey", in: "cookie", name: "sallyport_at" },
        signedToken: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A token that the customer's backend signed with a signing key (HS256, cty sallyport-fpa;v=1).",
        },
        publicKey: { type: "http", scheme: "basic", description: "The name `api_key`, and the id of a public key." },
        secretKey: { type: "http", scheme: "bearer", description: `A secret key: sally_sk_… Its scopes:\n\n${scopes}` },
        ...oauthSecuritySchemes,
      },
    },
  };
}

function operation(
  schemas: Schemas,
  name: string,
  procedure: Callable,
  meta: ProcedureMeta,
  rest: NonNullable<ProcedureMeta["rest"]>,
): Record<string, unknown> {
  const input = procedure._def.inputs[0] as z.ZodType | undefined;
  const schema = input ? schemas.of(input, "input") : undefined;
  const inPath = [...rest.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const asQuery = rest.method === "GET" || rest.method === "DELETE";
  const properties = (schema?.properties ?? {}) as Record<string, Record<string, unknown>>;
  const required = new Set((schema?.required ?? []) as string[]);
  const parameters: unknown[] = [
    {
      name: "x-application-id",
      in: "header",
      required: false,
      description: "The application of the call. Default: the credential's own application, or else the default one.",
      schema: { type: "string", pattern: patternOfId("application") },
    },
  ];
  if (meta.repeatable) {
    parameters.push({
      name: "idempotency-key",
      in: "header",
      required: false,
      description:
        "A key of your choice, up to 255 visible ASCII characters. The same call with the same key within 24 hours is not " +
        "repeated: its answer is the created object in its current state, without its secret. With another body: 409.",
      schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
    });
  }
  for (const [key, value] of Object.entries(properties)) {
    if (!inPath.includes(key) && !asQuery) continue;
    const place = inPath.includes(key) ? "path" : "query";
    parameters.push({
      name: key,
      in: place,
      required: place === "path" || required.has(key),
      ...(value.description ? { description: value.description } : {}),
      schema: place === "query" ? withoutNull(value) : value,
    });
  }
  const hasBody = schema !== undefined && !asQuery;
  const body = schema ? withoutPath(schema, inPath) : {};
  return {
    operationId: name,
    tags: [name.split(".")[0]],
    summary: meta.summary,
    ...(meta.description ? { description: meta.description } : {}),
    parameters,
    ...(hasBody
      ? {
          requestBody: {
            required: [...required].some((name) => !inPath.includes(name)),
            content: { "application/json": { schema: body, ...exampleOf(omit(meta.example?.input, inPath)) } },
          },
        }
      : {}),
    responses: responses(schemas, meta, rest, hasBody, schema !== undefined),
    security: securityOf(meta.access),
  };
}

/** Removes null from a query's parameter, because no text of a query means null. */
function withoutNull(schema: Record<string, unknown>): Record<string, unknown> {
  if (!Array.isArray(schema.type)) return schema;
  const types = schema.type.filter((type) => type !== "null");
  return { ...schema, type: types.length === 1 ? types[0] : types };
}

/** Removes the path's fields from the body's schema, because the body may not have them. */
function withoutPath(schema: Record<string, unknown>, inPath: readonly string[]): Record<string, unknown> {
  const required = ((schema.required ?? []) as string[]).filter((name) => !inPath.includes(name));
  const { required: _, ...rest } = schema;
  return {
    ...rest,
    properties: omit(schema.properties, inPath),
    ...(required.length > 0 ? { required } : {}),
  };
}

function omit(value: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function responses(
  schemas: Schemas,
  meta: ProcedureMeta,
  rest: NonNullable<ProcedureMeta["rest"]>,
  hasBody: boolean,
  hasInput: boolean,
): Record<string, unknown> {
  const codes = codesOf(meta, { input: hasInput, body: hasBody });
  const success = {
    description: meta.summary,
    content: {
      "application/json": { schema: schemas.of(meta.output, "output"), ...exampleOf(meta.example?.output) },
    },
  };
  return {
    [rest.status ?? 200]: success,
    ...(rest.also ? { [rest.also]: success } : {}),
    ...errorResponses(codes),
  };
}

function errorResponses(codes: Iterable<ErrorCode>): Record<string, unknown> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of [...codes].sort()) {
    const { status } = errorCatalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const result: Record<string, unknown> = {};
  for (const [status, list] of [...byStatus].sort(([a], [b]) => a - b)) {
    result[status] = {
      description: list.map((code) => `\`${code}\`: ${errorCatalogue[code].message}`).join("\n\n"),
      content: {
        "application/json": {
          schema: {
            allOf: [
              { $ref: "#/components/schemas/Error" },
              { properties: { error: { properties: { code: { enum: list } } } } },
            ],
          },
        },
      },
    };
  }
  return result;
}

const scopes = Object.entries(SCOPE_MEANINGS)
  .map(([scope, meaning]) => `- \`${scope}\`: ${meaning}`)
  .join("\n");

function securityOf(access: ProcedureMeta["access"]): unknown[] {
  if (access.kind === "public") return [];
  // The empty entry is for a flow, whose token is in the body.
  if (access.kind === "flow-or-session") return [{}, { accessToken: [] }, { accessCookie: [] }];
  if (access.kind === "key") return [{ secretKey: [access.scope] }, { clientToken: [access.scope] }];
  const own = [{ accessToken: [] }, { accessCookie: [] }];
  return access.kind === "end-user" ? [...own, { signedToken: [] }] : own;
}

function exampleOf(value: unknown): { example?: unknown } {
  return value === undefined ? {} : { example: value };
}

/** Collects schemas. A schema with an id becomes a component that others refer to. */
class Schemas {
  readonly components: Record<string, unknown> = {};

  of(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
    const text = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: "any" }));
    const { $schema: _, $defs, ...rest } = JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'));
    Object.assign(this.components, $defs);
    return rest;
  }
}

const plainJson = { content: { "application/json": { schema: { type: "object" } } } };

/** Describes a document that anyone may read and any cache may keep. */
function document(operationId: string, summary: string, description: string, parameters?: unknown[]) {
  return {
    get: {
      operationId,
      summary,
      ...(parameters ? { parameters } : {}),
      responses: {
        200: { description, ...plainJson },
        304: { description: "The caller already has it (If-None-Match)." },
        ...errorResponses([...ALWAYS, ...WITH_INPUT]),
      },
      security: [],
    },
  };
}

const id = (kind: IdKind) => ({
  name: "id",
  in: "path",
  required: true,
  schema: { type: "string", pattern: patternOfId(kind) },
});
const cursor = {
  name: "cursor",
  in: "query",
  required: false,
  schema: { type: "string", pattern: "^[0-9]{1,15}$" },
};

/** Documents whose shapes are fixed by an RFC or by the contract with verifiers. */
const documents = {
  "/.well-known/jwks.json": document(
    "jwks.default",
    "Public keys of the default application's algorithm (RFC 7517).",
    "A JWK Set.",
  ),
  "/v1/applications/{id}/.well-known/jwks.json": document(
    "jwks.application",
    "Public keys of one application's algorithm (RFC 7517).",
    "A JWK Set.",
    [id("application")],
  ),
  "/oauth2/jwks": document("jwks.tenant", "All public keys of the tenant (RFC 7517).", "A JWK Set."),
  "/v1/revocations": document(
    "revocations",
    "Tokens that verifiers must refuse before they expire, as a delta after the cursor.",
    "Entries, and the cursor of the next poll.",
    [cursor],
  ),
  "/v1/revocations/stream": {
    get: {
      operationId: "revocations.stream",
      summary: "The same delta as server-sent events, with a comment line at least every 15 seconds.",
      description:
        "Each event is named `revocation`. Its id is the cursor, and its data is one entry of `/v1/revocations`. The first " +
        "comment line says that nothing is missing. `Last-Event-ID` wins over `cursor`. A verifier that gets no stream polls.",
      parameters: [cursor, { ...cursor, name: "last-event-id", in: "header" }],
      responses: {
        200: {
          description: "An endless stream of events.",
          content: { "text/event-stream": { schema: { type: "string" } } },
        },
        ...errorResponses([...ALWAYS, ...WITH_INPUT, "rate_limited", "overloaded"]),
      },
      security: [],
    },
  },
};

const publicToken = z.strictObject({ access_token: z.string() });

const publicIssuer = () => ({
  "/v1/tenants/{id}/issuers/public/auth/token": {
    post: {
      operationId: "issuers.public.token",
      tags: ["issuers"],
      summary: "A token with scope `public`, for apps that have no backend.",
      description:
        "Anyone who extracts the key id from an app can get a token for any `user_id`. The user belongs to this key alone, and " +
        "is never the user whom a backend knows by the same id.",
      parameters: [{ ...id("tenant"), description: "The tenant's id, in either of its two forms." }],
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: z.toJSONSchema(publicTokenInput, { io: "input" }),
            example: { user_id: "123" },
          },
        },
      },
      responses: {
        200: {
          description: "A token that is valid for an hour.",
          content: { "application/json": { schema: z.toJSONSchema(publicToken) } },
        },
        ...errorResponses([
          ...ALWAYS,
          ...WITH_INPUT,
          ...WITH_BODY,
          "authentication_required",
          "invalid_credentials",
          "rate_limited",
        ]),
      },
      security: [{ publicKey: [] }],
    },
  },
});

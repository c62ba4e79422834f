import { LIMIT } from "../../core/limits.ts";
import { NetworkList } from "../../core/network.ts";
import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import { SCOPES } from "../../identity/api-keys/scopes.ts";
import { repeatable } from "../../rpc/idempotency.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { ApiKeyService } from "./service.ts";
import { apiKeySchema, exampleApiKey, exampleNewApiKey, newApiKeySchema } from "./wire.ts";

const DAY_SECONDS = 86_400;
const byId = z.strictObject({ id: idInput("apiKey").describe("The key's id, in either form.") });

const creation = z
  .strictObject({
    name: lineOfText(100),
    kind: z
      .enum(["secret", "signing", "public"])
      .default("secret")
      .describe("`secret` calls this API; `signing` signs users' tokens in your backend; `public` goes into an app."),
    scopes: z.array(z.enum(SCOPES)).max(SCOPES.length).default([]).describe("Each must be a scope of the calling key."),
    expires_at: z.iso
      .datetime({ offset: true })
      .nullish()
      .describe("RFC 3339. Default: the expiry of the calling key."),
    rate_limit: z
      .string()
      .regex(LIMIT, "must be a limit such as 100/1m")
      .nullish()
      .describe("Calls that the key may make: 100/1m allows a hundred at once, refilled over a minute."),
    networks: z
      .array(z.string().max(64).refine(isNetwork, "must be an IP address or a CIDR block such as 203.0.113.0/24"))
      .max(50)
      .default([])
      .describe("Networks that the key works from. Empty: those of the calling key."),
  })
  .superRefine((input, context) => {
    const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (input.kind === "secret" && input.scopes.length === 0) wrong("scopes", "a secret key needs one scope or more");
    if (input.kind === "secret") return;
    for (const field of ["scopes", "networks"] as const) {
      if (input[field].length > 0) wrong(field, "only secret keys have this");
    }
    if (input.rate_limit) wrong("rate_limit", "only secret keys have this");
  })
  .meta({
    oneOf: [
      { properties: { kind: { const: "secret" }, scopes: { minItems: 1 } }, required: ["scopes"] },
      {
        properties: {
          kind: { enum: ["signing", "public"] },
          scopes: { maxItems: 0 },
          networks: { maxItems: 0 },
          rate_limit: { type: "null" },
        },
        required: ["kind"],
      },
    ],
  });

export function apiKeysRouter(procedures: Procedures, apiKeys: ApiKeyService) {
  return {
    apiKeys: {
      create: procedures
        .key("api-keys:write", {
          summary: "Create an API key of the calling key's application.",
          description:
            "Only this answer shows the secret. The scopes, expiry, networks and rate limit of the new key must lie within " +
            "those of the calling key. Its calls also count against the limit of the calling key, and it ends with that key. To " +
            "create a signing key, the caller needs `users:read` and `users:write`.",
          output: newApiKeySchema,
          errors: ["insufficient_scope", "forbidden"],
          repeatable: true,
          rest: { method: "POST", path: "/v1/api-keys", status: 201 },
          example: { input: { name: "production-backend", scopes: ["admin"] }, output: exampleNewApiKey },
        })
        .input(creation)
        .mutation(({ ctx, input }) =>
          apiKeys.create(
            ctx,
            {
              name: input.name,
              kind: input.kind,
              scopes: [...new Set(input.scopes)],
              expiresAt: input.expires_at ? Date.parse(input.expires_at) : null,
              rateLimit: input.rate_limit ?? null,
              networks: input.networks,
            },
            repeatable(ctx, input),
          ),
        ),
      list: procedures
        .key("api-keys:read", {
          summary: "List the application's API keys, oldest first. Ended keys stay listed for 90 days.",
          output: pageOf(apiKeySchema),
          errors: [],
          rest: { method: "GET", path: "/v1/api-keys" },
          example: { output: { data: [exampleApiKey], next_cursor: null } },
        })
        .input(z.strictObject(pageInput("apiKey")).optional())
        .query(({ ctx, input }) => apiKeys.list(ctx, input?.limit ?? 20, input?.cursor ?? null)),
      get: procedures
        .key("api-keys:read", {
          summary: "Read one API key of the application.",
          output: apiKeySchema,
          errors: ["not_found"],
          rest: { method: "GET", path: "/v1/api-keys/{id}" },
          example: { input: { id: "key_01HWY55QBEFY09M6SC7N75YR3H" }, output: exampleApiKey },
        })
        .input(byId)
        .query(({ ctx, input }) => apiKeys.get(ctx, input.id)),
      revoke: procedures
        .key("api-keys:write", {
          summary: "End an API key, and every key that it made, at once.",
          description:
            "Tokens that these keys signed end too: verifiers read it from the revocation list. The key must lie within the " +
            "calling key's scopes, expiry, networks and rate limit, and must not be one that the calling key descends from.",
          output: apiKeySchema,
          errors: ["not_found", "insufficient_scope", "forbidden"],
          rest: { method: "DELETE", path: "/v1/api-keys/{id}" },
          example: {
            input: { id: "key_01HWY55QBEFY09M6SC7N75YR3H" },
            output: { ...exampleApiKey, revoked_at: "2026-02-01T12:00:00.000Z" },
          },
        })
        .input(byId)
        .mutation(({ ctx, input }) => apiKeys.revoke(ctx, input.id)),
      rotate: procedures
        .key("api-keys:write", {
          summary: "Give an API key a new secret under the same id.",
          description:
            "The old secret works for `overlap_seconds` more; 0 ends it now. A secret from before an earlier rotation ends " +
            "now.",
          output: newApiKeySchema,
          errors: ["not_found", "insufficient_scope", "forbidden", "conflict"],
          repeatable: true,
          rest: { method: "POST", path: "/v1/api-keys/{id}/rotate" },
          example: { input: { id: "key_01HWY55QBEFY09M6SC7N75YR3H", overlap_seconds: 3600 }, output: exampleNewApiKey },
        })
        .input(
          byId.extend({
            overlap_seconds: z
              .int()
              .min(0)
              .max(30 * DAY_SECONDS)
              .default(DAY_SECONDS),
          }),
        )
        .mutation(({ ctx, input }) => {
          const id = input.id;
          return apiKeys.rotate(ctx, id, input.overlap_seconds, repeatable(ctx, { ...input, id }));
        }),
    },
  };
}

function isNetwork(text: string): boolean {
  try {
    return new NetworkList([text]) !== null;
  } catch {
    return false;
  }
}

import { SCOPE_MEANINGS } from "../../identity/api-keys/scopes.ts";
import { MANAGEMENT_SCOPES } from "../../identity/clients/administration.ts";

const text = { type: "string" };
const closed = (properties: Record<string, unknown>, required: string[]) => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

/** Bodies that RFC 6749, 7662 and 8414 fix. */
export const oauthSchemas = {
  OAuthError: closed({ error: text, error_description: text }, ["error", "error_description"]),
  ClientToken: closed(
    {
      access_token: text,
      token_type: { type: "string", enum: ["Bearer"] },
      expires_in: { type: "integer", description: "Seconds." },
      scope: { type: "string", description: "What was granted, space-separated." },
    },
    ["access_token", "token_type", "expires_in", "scope"],
  ),
  Introspection: closed(
    {
      active: { type: "boolean" },
      client_id: text,
      token_type: text,
      iss: text,
      sub: text,
      aud: text,
      exp: { type: "integer" },
      iat: { type: "integer" },
      jti: text,
      scope: text,
      sid: text,
      auth_time: { type: "integer" },
      aal: text,
    },
    ["active"],
  ),
  AuthorizationServer: { type: "object", description: "RFC 8414." },
};

export const oauthSecuritySchemes = {
  clientToken: {
    type: "oauth2",
    description: "An M2M client's access token for the audience <issuer>/management.",
    flows: {
      clientCredentials: {
        tokenUrl: "/oauth2/token",
        scopes: Object.fromEntries(MANAGEMENT_SCOPES.map((scope) => [scope, SCOPE_MEANINGS[scope]])),
      },
    },
  },
  clientSecret: { type: "http", scheme: "basic", description: "Client id and client secret, each form-encoded." },
};

const answer = (schema: string, description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
});

const errors = {
  400: answer("OAuthError", "The request, its target or its scope is not valid."),
  401: answer("OAuthError", "The client is unknown, or its secret is wrong."),
  403: answer("OAuthError", "The credential may not be used from this network."),
  404: answer("OAuthError", "There is no such issuer."),
  413: answer("OAuthError", "The body is too large."),
  429: answer("OAuthError", "Too many requests: Retry-After says when."),
  500: answer("OAuthError", "Something went wrong on the server."),
  503: answer("OAuthError", "Nothing can be written at this moment."),
};

const credentials = {
  client_id: { type: "string", description: "Where the Authorization header does not say it." },
  client_secret: text,
};

function endpoint(
  operationId: string,
  summary: string,
  form: { properties: Record<string, unknown>; required: string[] },
  success: ReturnType<typeof answer>,
  refused: Record<string, unknown>,
  more: Record<string, unknown>[] = [],
) {
  return {
    post: {
      operationId,
      tags: ["oauth2"],
      summary,
      requestBody: {
        required: true,
        content: {
          "application/x-www-form-urlencoded": {
            schema: closed({ ...form.properties, ...credentials }, form.required),
          },
        },
      },
      responses: { 200: success, ...errors, ...refused },
      security: [{ clientSecret: [] }, ...more],
    },
  };
}

/** @param refused what the edge answers, in the envelope, before OAuth is asked; @param refusedDocument of the metadata */
export function oauthPaths(
  refused: Record<string, unknown>,
  refusedDocument: Record<string, unknown>,
): Record<string, unknown> {
  const token = { token: text, token_type_hint: text };
  return {
    "/oauth2/token": endpoint(
      "oauth2.token",
      "An access token for an M2M client (RFC 6749 section 4.4).",
      {
        properties: {
          grant_type: { type: "string", enum: ["client_credentials"] },
          scope: text,
          audience: { type: "string", description: "Without it, and without resource: <issuer>/management." },
          resource: { type: "string", description: "RFC 8707; the same as audience." },
        },
        required: ["grant_type"],
      },
      answer("ClientToken", "The token."),
      refused,
    ),
    "/oauth2/revoke": endpoint(
      "oauth2.revoke",
      "End one of the client's own tokens (RFC 7009).",
      { properties: token, required: ["token"] },
      {
        description: "It is ended, or was none.",
        content: { "application/json": { schema: closed({}, []) } },
      } as never,
      refused,
    ),
    "/oauth2/introspect": endpoint(
      "oauth2.introspect",
      "What a token stands for at this moment (RFC 7662).",
      { properties: token, required: ["token"] },
      answer("Introspection", "`active: false` alone for whatever is no live access token here."),
      refused,
      [{ secretKey: [] }],
    ),
    "/.well-known/oauth-authorization-server": {
      get: {
        operationId: "oauth2.metadata",
        tags: ["oauth2"],
        summary: "Where the endpoints are and what they take (RFC 8414).",
        responses: {
          200: answer("AuthorizationServer", "The metadata of this issuer."),
          304: { description: "The caller has it already (If-None-Match)." },
          ...refusedDocument,
        },
        security: [],
      },
    },
  };
}

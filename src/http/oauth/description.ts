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
      scope: { type: "string", description: "The granted scopes, separated by spaces." },
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
  403: answer("OAuthError", "The credential lacks the scope, or may not be used from this network."),
  404: answer("OAuthError", "There is no such issuer."),
  413: answer("OAuthError", "The body is too large."),
  429: answer("OAuthError", "Too many requests. Retry after the seconds in Retry-After."),
  500: answer("OAuthError", "Something went wrong on the server."),
  503: answer("OAuthError", "The server cannot write now. Try again later."),
};

const credentials = {
  client_id: { type: "string", description: "Required unless the Authorization header has it." },
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

/**
 * Describes the OAuth endpoints.
 * @param refused answers of the edge, in the envelope, which come before OAuth
 * @param refusedDocument the same for the metadata
 */
export function oauthPaths(
  refused: Record<string, unknown>,
  refusedDocument: Record<string, unknown>,
): Record<string, unknown> {
  const token = { token: text, token_type_hint: text };
  return {
    "/oauth2/token": endpoint(
      "oauth2.token",
      "Issue an access token to an M2M client (RFC 6749 section 4.4).",
      {
        properties: {
          grant_type: { type: "string", enum: ["client_credentials"] },
          scope: text,
          audience: { type: "string", description: "Default, unless resource is given: <issuer>/management." },
          resource: { type: "string", description: "The same as audience (RFC 8707)." },
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
        description: "The token is revoked, or was not valid.",
        content: { "application/json": { schema: closed({}, []) } },
      } as never,
      refused,
    ),
    "/oauth2/introspect": endpoint(
      "oauth2.introspect",
      "Return the current state and claims of a token (RFC 7662). A key or a client needs the scope tokens:read; a token sent as its own Bearer reads itself.",
      { properties: token, required: ["token"] },
      answer(
        "Introspection",
        "The claims of a live access token of this issuer; `active: false` alone for any other token.",
      ),
      refused,
      [{ secretKey: [] }, { accessToken: [] }],
    ),
    "/.well-known/oauth-authorization-server": {
      get: {
        operationId: "oauth2.metadata",
        tags: ["oauth2"],
        summary: "Return the addresses and capabilities of the endpoints (RFC 8414).",
        responses: {
          200: answer("AuthorizationServer", "The metadata of this issuer."),
          304: { description: "The caller already has it (If-None-Match)." },
          ...refusedDocument,
        },
        security: [],
      },
    },
  };
}

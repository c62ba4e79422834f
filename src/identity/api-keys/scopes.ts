/** The scopes of secret keys and M2M tokens. The API's description shows each sentence. */
export const SCOPE_MEANINGS = {
  admin: "Everything that the scopes below allow.",
  "users:read": "List and read the tenant's users.",
  "users:write": "Create, change and delete the tenant's users.",
  "sessions:read": "List and read sessions of the key's own application.",
  "sessions:write": "End sessions of the key's own application.",
  "api-keys:read": "List and read keys of the key's own application.",
  "api-keys:write":
    "Create, rotate and revoke keys of the key's own application. A new key cannot have more rights than the caller.",
  "applications:read": "Read the key's own application.",
  "resources:read": "List and read the tenant's API resources.",
  "resources:write": "Create, change and delete the tenant's API resources.",
  "tokens:read":
    "Introspect access tokens: a key those of its own application, a machine client all of its tenant (RFC 7662).",
  forward: "Send the network address of the user for whom a backend signs in (x-client-address). Secret keys only.",
} as const;
export type Scope = keyof typeof SCOPE_MEANINGS;
export const SCOPES = Object.keys(SCOPE_MEANINGS) as [Scope, ...Scope[]];

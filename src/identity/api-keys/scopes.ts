/** The catalogue: what a secret key or an M2M token may do, and the sentence that the API's description shows. */
export const SCOPE_MEANINGS = {
  admin: "Everything below.",
  "users:read": "List and read the tenant's users.",
  "users:write": "Create, change and delete the tenant's users.",
  "sessions:read": "List and read sessions of the key's own application.",
  "sessions:write": "End sessions of the key's own application.",
  "api-keys:read": "List and read keys of the key's own application.",
  "api-keys:write": "Create, rotate and revoke keys of the key's own application, none wider than the maker.",
  "applications:read": "Read the key's own application.",
  "resources:read": "List and read the tenant's API resources.",
  "resources:write": "Create, change and delete the tenant's API resources.",
  forward: "State the address of the person for whom a backend signs in (x-client-address). Secret keys only.",
} as const;
export type Scope = keyof typeof SCOPE_MEANINGS;
export const SCOPES = Object.keys(SCOPE_MEANINGS) as [Scope, ...Scope[]];

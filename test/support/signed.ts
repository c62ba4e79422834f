import { type JWTPayload, SignJWT } from "jose";
import type { TestApp } from "./app.ts";
import { backend } from "./management.ts";

export interface SigningKey {
  id: string;
  /** Shown once. Its UTF-8 bytes are the HMAC key. */
  secret: string;
}

/** Makes a signing key or public key of an application, as a backend does. */
export async function newKey(app: TestApp, kind: "signing" | "public", secretKey?: string): Promise<SigningKey> {
  const made = await backend(app, secretKey).post("/v1/api-keys", { name: kind, kind });
  if (made.status !== 201) throw new Error(made.text);
  return { id: made.body.id, secret: made.body.secret ?? "" };
}

/** Signs a token as the customer's backend does, in the documented form. */
export async function sign(
  app: TestApp,
  key: SigningKey,
  changes: { identity?: unknown; claims?: Record<string, unknown>; header?: Record<string, unknown> } = {},
): Promise<string> {
  const claims: Record<string, unknown> = {
    iss: key.id,
    sub: app.tenantId,
    exp: Math.floor(app.clock.now() / 1_000) + 3_600,
    grants: { identity: "identity" in changes ? changes.identity : "42" },
    ...changes.claims,
  };
  for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name];
  const header = { alg: "HS256", typ: "JWT", cty: "sallyport-fpa;v=1", ...changes.header };
  const token = await new SignJWT(claims as JWTPayload)
    .setProtectedHeader(header)
    .sign(new TextEncoder().encode(key.secret));
  app.secrets.add(token);
  return token;
}

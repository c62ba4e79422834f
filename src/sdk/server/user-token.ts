import type * as NodeCrypto from "node:crypto";
import { configurationError } from "../internal/errors.ts";
import { parseId } from "../internal/ids.ts";
import { nodeBuiltin } from "../internal/node-builtin.ts";
import { environment } from "../internal/options.ts";

export interface UserTokenOptions {
  /** The user's id in your own system, any text: `42`, `user|42`. */
  identity: string;
  /** Seconds, 1 to 3600. Default 900. */
  expiresIn?: number | undefined;
  /** The signing key's id. Default `SALLYPORT_API_KEY_ID`. */
  apiKeyId?: string | undefined;
  /** The whole `sally_hs_…` string. Default `SALLYPORT_API_KEY_SECRET`. */
  apiKeySecret?: string | undefined;
  /** Default `SALLYPORT_TENANT_ID`. */
  tenantId?: string | undefined;
  /** Milliseconds since the Unix epoch. Default: the system's clock. */
  now?: (() => number) | undefined;
}

const LONGEST = 3_600;
const SECRET = /^sally_hs_[\x21-\x7e]{55,}$/;
const encoder = new TextEncoder();

/**
 * Signs a token for one of your backend's own users, with a signing key and without a request: HS256 with
 * `cty: "sallyport-fpa;v=1"`. The HMAC key is the UTF-8 bytes of the whole secret as it was shown.
 * @throws SallyportError `configuration_error` that names the missing or wrong option
 */
export async function signUserToken(options: UserTokenOptions): Promise<string> {
  const { identity, expiresIn = 900 } = options;
  const now = options.now ?? Date.now;
  const iss = requireId(options.apiKeyId, "apiKeyId", "SALLYPORT_API_KEY_ID", "key");
  const sub = requireId(options.tenantId, "tenantId", "SALLYPORT_TENANT_ID", "ten");
  const secret = requireText(options.apiKeySecret, "apiKeySecret", "SALLYPORT_API_KEY_SECRET");
  if (!SECRET.test(secret))
    throw configurationError("apiKeySecret must be the whole sally_hs_… string, as it was shown.");
  // An `undefined` from a session object must not become the user "undefined".
  if (typeof identity !== "string" || identity === "") throw configurationError("identity must be a non-empty string.");
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > LONGEST) {
    throw configurationError(`expiresIn must be a whole number of seconds between 1 and ${LONGEST}.`);
  }
  const exp = Math.floor(now() / 1_000) + expiresIn;
  const header = { alg: "HS256", typ: "JWT", cty: "sallyport-fpa;v=1" };
  const signed = `${encode(JSON.stringify(header))}.${encode(JSON.stringify({ iss, sub, exp, grants: { identity } }))}`;
  return `${signed}.${await hmac(secret, signed)}`;
}

async function hmac(secret: string, text: string): Promise<string> {
  const node = await nodeBuiltin<typeof NodeCrypto>("node:crypto");
  if (node) return node.createHmac("sha256", secret).update(text).digest("base64url");
  const { subtle } = globalThis.crypto;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  return base64url(new Uint8Array(await subtle.sign("HMAC", key, encoder.encode(text))));
}

function encode(text: string): string {
  return base64url(encoder.encode(text));
}

function base64url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function requireId(value: string | undefined, option: string, variable: string, prefix: string): string {
  const id = parseId(prefix, requireText(value, option, variable));
  if (id === null) throw configurationError(`${option} must be a UUID, or ${prefix}_ and 26 characters of base32.`);
  return id;
}

function requireText(value: string | undefined, option: string, variable: string): string {
  const text = value ?? environment(variable);
  if (text === undefined) throw configurationError(`${option} is missing. Pass it, or set ${variable}.`);
  return text;
}

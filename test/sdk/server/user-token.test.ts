import { describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { signUserToken, type UserTokenOptions } from "../../../src/sdk/server/index.ts";

const KEY = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const TENANT = "018f3c4a-0000-7000-8000-000000000009";
const SECRET = `sally_hs_${randomBytes(48).toString("base64url")}`;
const NOW = Date.UTC(2026, 0, 1) + 999;
const base = { apiKeyId: KEY, apiKeySecret: SECRET, tenantId: TENANT, now: () => NOW };

const verify = (token: string) =>
  jwtVerify(token, new TextEncoder().encode(SECRET), { algorithms: ["HS256"], currentDate: new Date(NOW) });

describe("a token that the customer signs", () => {
  test.each(["42", "user|42", "acme|42", "žluťoučký 🐎", '"quoted\\"', " "])("for %j", async (identity) => {
    const token = await signUserToken({ ...base, identity });
    const { payload } = await verify(token);
    expect(payload).toEqual({
      iss: KEY,
      sub: TENANT,
      exp: Math.floor(NOW / 1_000) + 900,
      grants: { identity },
    } as typeof payload);
    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT", cty: "sallyport-fpa;v=1" });
    expect(token).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
  });

  test("is the same by WebCrypto", async () => {
    const token = await signUserToken({ ...base, identity: "42" });
    const { process } = globalThis;
    Object.assign(globalThis, { process: undefined });
    try {
      expect(await signUserToken({ ...base, identity: "42" })).toBe(token);
    } finally {
      Object.assign(globalThis, { process });
    }
  });

  test("takes ids in either form, writes UUIDs, and needs only the environment", async () => {
    const { env } = process;
    const own = {
      SALLYPORT_API_KEY_ID: "key_01HWY4MYSEFGESW2GZ5CY4TQKF",
      SALLYPORT_API_KEY_SECRET: SECRET,
      SALLYPORT_TENANT_ID: TENANT.toUpperCase(),
    };
    process.env = { ...env, ...own };
    const token = await signUserToken({ identity: "42", expiresIn: 3_600, now: () => NOW });
    process.env = env;
    const { payload } = await verify(token);
    expect(payload).toMatchObject({ iss: KEY, sub: TENANT, exp: Math.floor(NOW / 1_000) + 3_600 });
  });

  test.each<[Partial<UserTokenOptions>, string]>([
    [{ identity: "" }, "identity must be"],
    [{ identity: undefined as unknown as string }, "identity must be"],
    [{ identity: 42 as unknown as string }, "identity must be"],
    [{ expiresIn: 3_601 }, "expiresIn must be"],
    [{ expiresIn: 0 }, "expiresIn must be"],
    [{ expiresIn: 1.5 }, "expiresIn must be"],
    [{ apiKeyId: "app_01HWY4MYSEFGESW2GZ5CY4TQKF" }, "apiKeyId must be a UUID, or key_"],
    [{ tenantId: "acme" }, "tenantId must be a UUID, or ten_"],
    [{ apiKeySecret: SECRET.slice(9) }, "apiKeySecret must be the whole sally_hs_"],
    [{ apiKeySecret: `${SECRET}\n` }, "apiKeySecret must be the whole sally_hs_"],
    [{ apiKeySecret: "sally_hs_short" }, "apiKeySecret must be the whole sally_hs_"],
    [{ apiKeySecret: undefined }, "apiKeySecret is missing. Pass it, or set SALLYPORT_API_KEY_SECRET."],
  ])("refuses %j without naming the secret", async (wrong, message) => {
    const error = await signUserToken({ ...base, identity: "42", ...wrong }).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain(SECRET.slice(9, 20));
  });
});

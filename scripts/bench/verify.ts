/**
 * Compares `verifyToken` with the least work that verifies a token, in turns in the same process. Runs on Bun and, bundled,
 * on Node. Prints a line of JSON.
 */
import * as nodeCrypto from "node:crypto";
import { readFileSync } from "node:fs";
import { fromWeb } from "../../src/sdk/server/crypto.ts";
import { SallyportServer } from "../../src/sdk/server/index.ts";
import { Verifier } from "../../src/sdk/server/verifier.ts";
import { spreadOf } from "./result.ts";
import type { Seed } from "./seed.ts";

export interface VerifyFigures {
  /** Microseconds of CPU time per token, and the ratios of the pairs: floor / ours. */
  [row: string]: { ours: number; floor: number; median: number; min: number; max: number };
}

const [seedFile = "", pairsText = "5"] = process.argv.slice(2);
const seed = JSON.parse(readFileSync(seedFile, "utf8")) as Seed;
const pairs = Number(pairsText);
const options = { baseUrl: seed.publicUrl, applicationId: seed.applicationId };
const { keys } = (await (await fetch(`${seed.publicUrl}/oauth2/jwks`)).json()) as { keys: JsonWebKey[] };
const jwk = keys.find((key) => key.kty === "OKP") ?? {};

/** Bytes that become a new text for each call, as an HTTP server would pass it. */
const fresh = seed.freshTokens.map((token) => Buffer.from(`Bearer ${token}`, "latin1"));
const few = fresh.slice(0, 512);
const bearer = (bytes: Buffer) => bytes.toString("latin1");

type Side = (value: string) => unknown;

async function pass(tokens: readonly Buffer[], side: Side, count: number): Promise<number> {
  const begun = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const bytes = tokens[i % tokens.length];
    if (bytes && (await side(bearer(bytes))) === false) throw new Error("a good token was refused");
  }
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / count;
}

async function compare(tokens: readonly Buffer[], ours: Side, floor: Side, count: number) {
  await pass(tokens, floor, count);
  await pass(tokens, ours, count);
  const times: { ours: number; floor: number }[] = [];
  for (let i = 0; i < pairs; i++) {
    const first = i % 2 === 0 ? await pass(tokens, floor, count) : 0;
    const own = await pass(tokens, ours, count);
    times.push({ ours: own, floor: first || (await pass(tokens, floor, count)) });
  }
  return {
    ours: spreadOf(times.map((pair) => pair.ours)).median,
    floor: spreadOf(times.map((pair) => pair.floor)).median,
    ...spreadOf(times.map((pair) => pair.floor / pair.ours)),
  };
}

const publicKey = nodeCrypto.createPublicKey({ key: jwk, format: "jwk" });
const webKey = await crypto.subtle.importKey("jwk", { ...jwk, alg: "EdDSA" }, "Ed25519", false, ["verify"]);

function verifyFloor(value: string): boolean {
  const last = value.lastIndexOf(".");
  const data = Buffer.from(value.slice(7, last), "latin1");
  if (!nodeCrypto.verify(null, data, publicKey, Buffer.from(value.slice(last + 1), "base64url"))) return false;
  const payload = Buffer.from(value.slice(value.indexOf(".") + 1, last), "base64url");
  return (JSON.parse(payload.toString()) as { exp: number }).exp > 0;
}

async function webFloor(value: string): Promise<boolean> {
  const last = value.lastIndexOf(".");
  const data = Buffer.from(value.slice(7, last), "latin1");
  const signature = Buffer.from(value.slice(last + 1), "base64url");
  if (!(await crypto.subtle.verify("Ed25519", webKey, signature, data))) return false;
  const payload = Buffer.from(value.slice(value.indexOf(".") + 1, last), "base64url");
  return (JSON.parse(payload.toString()) as { exp: number }).exp > 0;
}

const oneShot = (nodeCrypto as Partial<typeof nodeCrypto>).hash;
const sha256 = oneShot
  ? (text: string) => oneShot("sha256", text, "base64url")
  : (text: string) => nodeCrypto.createHash("sha256").update(text).digest("base64url");
const known = new Map<string, object>();
for (const bytes of few) known.set(sha256(bearer(bytes).slice(7)), {});

const server = new SallyportServer(options);
const uncached = new SallyportServer({ ...options, cacheSize: 0 });
const issuer = seed.publicUrl;
const web = new Verifier({
  tenantUrl: issuer,
  issuer,
  audience: `${issuer}/api/${seed.applicationId}`,
  applicationId: seed.applicationId,
  onStale: "allow",
  source: "poll",
  leeway: 5,
  fetch,
  now: Date.now,
  cacheSize: 0,
  crypto: fromWeb(crypto.subtle),
});

const figures: VerifyFigures = {
  first: await compare(fresh, (value) => uncached.verifyToken(value), verifyFloor, 10_000),
  seen: await compare(
    few,
    (value) => server.verifyToken(value),
    (value) => known.has(sha256(value.slice(7))),
    50_000,
  ),
  web: await compare(fresh, (value) => web.verify(value), webFloor, 5_000),
};
console.log(JSON.stringify(figures));
process.exit();

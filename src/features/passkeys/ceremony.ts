import { AppError } from "../../core/errors.ts";
import { type JsonObject, parseJsonObject } from "../../core/json.ts";
import { importVerificationKey } from "../../crypto/jwk.ts";
import type { RelyingParty } from "../../identity/applications/relying-party.ts";
import type { AssertionResponse, RegistrationResponse } from "./wire.ts";

/** Algorithms by their numbers in the COSE registry, the best first. An algorithm that is not offered is not accepted. */
const ALGORITHMS = new Map([
  [-8, "EdDSA"],
  [-7, "ES256"],
  [-257, "RS256"],
] as const);
export const ALGORITHM_IDS: number[] = [...ALGORITHMS.keys()];

interface Expected {
  party: RelyingParty;
  /** In base64url. */
  challenge: string;
}

export interface NewCredential {
  /** In base64url. */
  id: string;
  /** In COSE form. */
  publicKey: Uint8Array<ArrayBuffer>;
  counter: number;
  aaguid: string;
  backupEligible: boolean;
  backedUp: boolean;
}

export interface Assertion {
  counter: number;
  userVerified: boolean;
  backupEligible: boolean;
  backedUp: boolean;
}

// Loaded for the first passkey, because its certificate parsers take longer than the rest of a start.
const webauthn = () => import("@simplewebauthn/server");
const helpers = () => import("@simplewebauthn/server/helpers");

/**
 * Verifies a registration (WebAuthn level 3, section 7.1). Refuses more than the library does: frames of other origins, an id
 * that is not the attested one, attestation that was not asked for (its certificates name addresses to fetch lists from: SSRF),
 * and keys that are unsound or do not fit their algorithm.
 * @throws AppError `invalid_code` for any fault
 */
export function verifyRegistration(response: RegistrationResponse, expected: Expected): Promise<NewCredential> {
  return refusingAll(async () => {
    const type = requirePublicKey(response.type);
    const page = requireAllowedPage(response.response.clientDataJSON, expected.party);
    await requirePlainAttestation(response.response.attestationObject);
    const { verifyRegistrationResponse } = await webauthn();
    const { id, rawId } = response;
    const { clientDataJSON, attestationObject } = response.response;
    const verified = await verifyRegistrationResponse({
      response: { id, rawId, type, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} },
      expectedChallenge: expected.challenge,
      expectedOrigin: page,
      expectedRPID: expected.party.id,
      requireUserPresence: true,
      requireUserVerification: false,
      supportedAlgorithmIDs: ALGORITHM_IDS,
    });
    if (!verified.verified) throw new Error("the attestation is wrong");
    const { credential, aaguid, credentialDeviceType, credentialBackedUp } = verified.registrationInfo;
    if (credential.id !== id) throw new Error("the id is not the attested credential's");
    await requireSoundKey(credential.publicKey);
    return {
      id: credential.id,
      publicKey: new Uint8Array(credential.publicKey),
      counter: credential.counter,
      aaguid,
      backupEligible: credentialDeviceType === "multiDevice",
      backedUp: credentialBackedUp,
    };
  });
}

/**
 * Verifies an assertion (WebAuthn level 3, section 7.2), except for the checks against the credential's record: owner, counter
 * and backup eligibility. @param publicKey in COSE form
 * @throws AppError `invalid_code` for any fault
 */
export function verifyAssertion(
  response: AssertionResponse,
  expected: Expected & { publicKey: Uint8Array },
): Promise<Assertion> {
  return refusingAll(async () => {
    const type = requirePublicKey(response.type);
    const page = requireAllowedPage(response.response.clientDataJSON, expected.party);
    const { verifyAuthenticationResponse } = await webauthn();
    const { id, rawId } = response;
    const { clientDataJSON, authenticatorData, signature } = response.response;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id,
        rawId,
        type,
        response: { clientDataJSON, authenticatorData, signature },
        clientExtensionResults: {},
      },
      expectedChallenge: expected.challenge,
      expectedOrigin: page,
      expectedRPID: expected.party.id,
      // Below every counter: the library compares counters before the signature, but only a signed counter may show a copy.
      credential: { id, publicKey: new Uint8Array(expected.publicKey), counter: -1 },
      requireUserVerification: false,
    });
    if (!verified) throw new Error("the signature is wrong");
    return {
      counter: authenticationInfo.newCounter,
      userVerified: authenticationInfo.userVerified,
      backupEligible: authenticationInfo.credentialDeviceType === "multiDevice",
      backedUp: authenticationInfo.credentialBackedUp,
    };
  });
}

/** Gives one answer for every error, whatever a stranger's bytes do to a parser. */
async function refusingAll<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AppError("invalid_code", { message: REFUSED, cause });
  }
}
export const REFUSED = "The passkey's answer is wrong, came too late, or was used before. Try again.";

function requirePublicKey(type: string): "public-key" {
  if (type !== "public-key") throw new Error("a credential of another type");
  return type;
}

/**
 * Refuses frames of other origins, because a page could trick the user into a click there (section 13.4.2). The appliance's
 * pages never ask from such a frame.
 * @returns the origin of the page, which the relying party allows
 */
function requireAllowedPage(clientDataJSON: string, party: RelyingParty): string {
  const data: JsonObject | null = parseJsonObject(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
  if (data === null) throw new Error("the client data is not a JSON object");
  if ((data.crossOrigin ?? false) !== false || data.topOrigin !== undefined)
    throw new Error("a frame of another origin");
  if (typeof data.origin !== "string" || !party.allows(data.origin)) throw new Error("a page that may not answer");
  return data.origin;
}

async function requirePlainAttestation(attestationObject: string): Promise<void> {
  const { decodeAttestationObject } = await helpers();
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, "base64url")));
  const format = decoded.get("fmt");
  const isSelf = format === "packed" && decoded.get("attStmt").get("x5c") === undefined;
  if (format !== "none" && !isSelf) throw new Error("attestation that was not asked for");
}

const JWK_MEMBERS = {
  EdDSA: { kty: 1, crv: 6, jwk: { kty: "OKP", crv: "Ed25519" }, members: { x: -2 } },
  ES256: { kty: 2, crv: 1, jwk: { kty: "EC", crv: "P-256" }, members: { x: -2, y: -3 } },
  RS256: { kty: 3, crv: undefined, jwk: { kty: "RSA" }, members: { n: -1, e: -2 } },
} as const;

/**
 * Requires a sound key whose type and curve fit the algorithm (RFC 9053 section 7.1, RFC 8230 section 4). @throws Error,
 * JwsError
 */
async function requireSoundKey(publicKey: Uint8Array<ArrayBuffer>): Promise<void> {
  const { decodeCredentialPublicKey } = await helpers();
  const key = decodeCredentialPublicKey(publicKey) as unknown as ReadonlyMap<number, unknown>;
  const algorithm = ALGORITHMS.get(key.get(3) as never);
  if (algorithm === undefined) throw new Error("an algorithm that is not offered");
  const { kty, crv, jwk, members } = JWK_MEMBERS[algorithm];
  if (key.get(1) !== kty || (crv !== undefined && key.get(-1) !== crv)) throw new Error("a key of another kind");
  const values = Object.entries(members).map(([name, label]) => {
    const value = key.get(label);
    if (!(value instanceof Uint8Array)) throw new Error(`the key has no ${name}`);
    return [name, Buffer.from(value).toString("base64url")];
  });
  importVerificationKey(algorithm, { ...jwk, ...Object.fromEntries(values) }, "passkey");
}

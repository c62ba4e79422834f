import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/** A software passkey of the benchmark: ES256, discoverable. */
export interface Credential {
  /** base64url. */
  id: string;
  userHandle: string;
  privateJwk: Record<string, unknown>;
}

/** @returns the key pair, and the public key in the stored form, COSE (RFC 9053 section 7.1.1) */
export function newCredential(userHandle: string): { credential: Credential; cose: Uint8Array } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "", ...rest } = privateKey.export({ format: "jwk" });
  // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
  const cose = Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    Buffer.from(x, "base64url"),
    Buffer.from("225820", "hex"),
    Buffer.from(y, "base64url"),
  ]);
  const id = randomBytes(32).toString("base64url");
  return { credential: { id, userHandle, privateJwk: { ...rest, x, y } }, cose: new Uint8Array(cose) };
}

/** Answers challenges with the JSON that a page would send. User present and verified; counter 0, as in synced passkeys. */
export class Signer {
  readonly #key: KeyObject;
  readonly #authenticatorData: Buffer;

  constructor(
    private readonly credential: Credential,
    rpId: string,
    private readonly origin: string,
  ) {
    this.#key = createPrivateKey({ key: credential.privateJwk, format: "jwk" });
    const flags = Buffer.from([0x05]);
    this.#authenticatorData = Buffer.concat([createHash("sha256").update(rpId).digest(), flags, Buffer.alloc(4)]);
  }

  answer(challenge: string) {
    const client = { type: "webauthn.get", challenge, origin: this.origin, crossOrigin: false };
    const clientData = Buffer.from(JSON.stringify(client));
    const signed = Buffer.concat([this.#authenticatorData, createHash("sha256").update(clientData).digest()]);
    const { id, userHandle } = this.credential;
    return {
      id,
      rawId: id,
      type: "public-key",
      authenticatorAttachment: "platform",
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: this.#authenticatorData.toString("base64url"),
        signature: sign("sha256", signed, this.#key).toString("base64url"),
        userHandle,
      },
    };
  }
}

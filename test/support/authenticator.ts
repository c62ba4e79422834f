import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { encodeCbor } from "./cbor.ts";

export type CoseAlgorithm = "ES256" | "EdDSA" | "RS256";
const COSE_ALGORITHM: Record<CoseAlgorithm, number> = { ES256: -7, EdDSA: -8, RS256: -257 };

/** A passkey as an authenticator keeps it. */
export interface HeldCredential {
  id: Uint8Array;
  rpId: string;
  userHandle: Uint8Array;
  algorithm: CoseAlgorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
  counter: number;
}

/** Faults of an authenticator or a browser in one answer. */
export interface Quirks {
  origin?: string;
  /** The domain whose hash the authenticator signs. */
  rpId?: string;
  type?: string;
  challenge?: string;
  /** Members added to the client data, or replaced in it. */
  clientData?: Record<string, unknown>;
  userPresent?: boolean;
  userVerified?: boolean;
  backupEligible?: boolean;
  backedUp?: boolean;
  counter?: number;
  /** Signs with a key that is not the credential's. */
  bogusSignature?: boolean;
  /** base64url; null for none. */
  userHandle?: string | null;
  /** Registers this id instead of a new one. */
  credentialId?: Uint8Array;
  /** Replaces the correct COSE key. */
  coseKey?: Uint8Array;
  /** Replaces the whole attestation object. */
  attestationObject?: Uint8Array;
  attestationFormat?: string;
  attestationStatement?: ReadonlyMap<string, string | number | Uint8Array | Uint8Array[]>;
  authenticatorData?: Uint8Array;
  transports?: unknown;
}

export interface CreationOptions {
  challenge: string;
  rp: { id?: string };
  user: { id: string };
  pubKeyCredParams: { alg: number }[];
  excludeCredentials?: { id: string }[];
}
export interface RequestOptions {
  challenge: string;
  rpId?: string;
  allowCredentials?: { id: string }[];
}

/** The JSON answer of `navigator.credentials.create()`. */
export interface RegistrationJson {
  id: string;
  rawId: string;
  type: string;
  response: { clientDataJSON: string; attestationObject: string; transports: unknown };
  authenticatorAttachment: string;
  clientExtensionResults: Record<string, unknown>;
}
/** The JSON answer of `navigator.credentials.get()`. */
export interface AssertionJson {
  id: string;
  rawId: string;
  type: string;
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle: string | null };
  authenticatorAttachment: string;
  clientExtensionResults: Record<string, unknown>;
}

interface Settings {
  /** The origin of the calling page. */
  origin: string;
  algorithm?: CoseAlgorithm;
  /** Hexadecimal digits; hyphens are allowed. */
  aaguid?: string;
  verifiesUser?: boolean;
  backupEligible?: boolean;
  backedUp?: boolean;
  /** Whether it counts signatures. Synced passkeys always report 0. */
  counts?: boolean;
  transports?: string[];
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest();

/** A browser and an authenticator in one, built on node:crypto (WebAuthn level 3, sections 6.3.2 and 6.3.3). */
export class Authenticator {
  readonly held: HeldCredential[] = [];
  readonly settings: Required<Settings>;

  constructor(settings: Settings) {
    this.settings = {
      algorithm: "ES256",
      aaguid: "00000000-0000-0000-0000-000000000000",
      verifiesUser: true,
      backupEligible: true,
      backedUp: true,
      counts: false,
      transports: ["internal", "hybrid"],
      ...settings,
    };
  }

  /**
   * Makes a passkey.
   * @throws Error if a real authenticator would refuse: it holds an excluded credential, or supports no algorithm on
   * the list
   */
  create(options: CreationOptions, quirks: Quirks = {}): RegistrationJson {
    const { algorithm, transports } = this.settings;
    const alg = COSE_ALGORITHM[algorithm];
    if (!options.pubKeyCredParams.some((known) => known.alg === alg)) throw new Error("NotSupportedError");
    if (options.excludeCredentials?.some(({ id }) => this.#find(id))) throw new Error("InvalidStateError");
    const credential: HeldCredential = {
      ...newKeys(algorithm),
      id: quirks.credentialId ?? randomBytes(32),
      rpId: options.rp.id ?? new URL(this.settings.origin).hostname,
      userHandle: Buffer.from(options.user.id, "base64url"),
      algorithm,
      counter: 0,
    };
    this.held.push(credential);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(credential.id.length);
    const authData = Buffer.concat([
      this.#authenticatorData(credential, 0x40, quirks),
      Buffer.from(this.settings.aaguid.replaceAll("-", ""), "hex"),
      length,
      credential.id,
      quirks.coseKey ?? coseKey(algorithm, credential.publicKey),
    ]);
    const attestation = encodeCbor(
      new Map<string, string | Uint8Array | ReadonlyMap<string, string | number | Uint8Array | Uint8Array[]>>([
        ["fmt", quirks.attestationFormat ?? "none"],
        ["attStmt", quirks.attestationStatement ?? new Map()],
        ["authData", authData],
      ]),
    );
    return {
      ...this.#frame(credential),
      response: {
        clientDataJSON: this.#clientData("webauthn.create", options.challenge, quirks),
        attestationObject: base64url(quirks.attestationObject ?? attestation),
        transports: "transports" in quirks ? quirks.transports : transports,
      },
    };
  }

  /** Like {@link create}, with a statement that the new key signs itself (WebAuthn level 3, section 8.2). */
  createSelfAttested(options: CreationOptions): RegistrationJson {
    const plain = this.create(options);
    const made = this.held.at(-1);
    if (!made) throw new Error("nothing was made");
    const object = Buffer.from(plain.response.attestationObject, "base64url");
    // `authData` is the last member.
    const authData = object.subarray(object.indexOf("authData") + "authData".length).subarray(2);
    const data = Buffer.concat([authData, sha256(Buffer.from(plain.response.clientDataJSON, "base64url"))]);
    const statement = new Map<string, number | Uint8Array>([
      ["alg", COSE_ALGORITHM[made.algorithm]],
      ["sig", sign(made.algorithm === "EdDSA" ? null : "sha256", data, made.privateKey)],
    ]);
    const attestation = encodeCbor(
      new Map<string, string | Uint8Array | ReadonlyMap<string, number | Uint8Array>>([
        ["fmt", "packed"],
        ["attStmt", statement],
        ["authData", authData],
      ]),
    );
    return { ...plain, response: { ...plain.response, attestationObject: base64url(attestation) } };
  }

  /** Like {@link create}, with a valid statement by a certificate (section 8.6, `fido-u2f`). */
  createByCertificate(options: CreationOptions): RegistrationJson {
    const plain = this.create(options, { attestationFormat: "fido-u2f" });
    const made = this.held.at(-1);
    if (!made) throw new Error("nothing was made");
    const { privateKey, publicKey } = newKeys("ES256");
    const { x, y } = made.publicKey.export({ format: "jwk" });
    const data = Buffer.concat([
      Buffer.of(0),
      sha256(made.rpId),
      sha256(Buffer.from(plain.response.clientDataJSON, "base64url")),
      made.id,
      Buffer.of(4),
      Buffer.from(x ?? "", "base64url"),
      Buffer.from(y ?? "", "base64url"),
    ]);
    const statement = new Map<string, Uint8Array | Uint8Array[]>([
      ["sig", sign("sha256", data, privateKey)],
      ["x5c", [selfSignedCertificate(privateKey, publicKey)]],
    ]);
    const object = Buffer.from(plain.response.attestationObject, "base64url");
    const authData = object.subarray(object.indexOf("authData") + "authData".length).subarray(2);
    const attestation = encodeCbor(
      new Map<string, string | Uint8Array | ReadonlyMap<string, Uint8Array | Uint8Array[]>>([
        ["fmt", "fido-u2f"],
        ["attStmt", statement],
        ["authData", authData],
      ]),
    );
    return { ...plain, response: { ...plain.response, attestationObject: base64url(attestation) } };
  }

  /**
   * Signs in with a passkey of the requested domain.
   * @throws Error if it has no suitable passkey, as a real authenticator would
   */
  get(options: RequestOptions, quirks: Quirks = {}): AssertionJson {
    const allowed = options.allowCredentials?.length ? options.allowCredentials.map(({ id }) => id) : null;
    const credential = this.held.findLast(
      ({ id, rpId }) => rpId === options.rpId && (allowed === null || allowed.includes(base64url(id))),
    );
    if (!credential) throw new Error("NotAllowedError");
    return this.assert(credential, options.challenge, quirks);
  }

  /** Like {@link get}, with the credential that the test names. */
  assert(credential: HeldCredential, challenge: string, quirks: Quirks = {}): AssertionJson {
    if (this.settings.counts) credential.counter++;
    const authenticatorData = quirks.authenticatorData ?? this.#authenticatorData(credential, 0, quirks);
    const clientDataJSON = this.#clientData("webauthn.get", challenge, quirks);
    const data = Buffer.concat([authenticatorData, sha256(Buffer.from(clientDataJSON, "base64url"))]);
    const key = quirks.bogusSignature ? newKeys(credential.algorithm).privateKey : credential.privateKey;
    const signature = sign(credential.algorithm === "EdDSA" ? null : "sha256", data, key);
    const handle = quirks.userHandle === undefined ? base64url(credential.userHandle) : quirks.userHandle;
    return {
      ...this.#frame(credential),
      response: {
        clientDataJSON,
        authenticatorData: base64url(authenticatorData),
        signature: base64url(signature),
        userHandle: handle,
      },
    };
  }

  #find(id: string): HeldCredential | undefined {
    return this.held.find((credential) => base64url(credential.id) === id);
  }

  #frame({ id }: HeldCredential) {
    return {
      id: base64url(id),
      rawId: base64url(id),
      type: "public-key",
      authenticatorAttachment: "platform",
      clientExtensionResults: {},
    };
  }

  #clientData(type: string, challenge: string, quirks: Quirks): string {
    const { origin } = this.settings;
    const data = {
      type: quirks.type ?? type,
      challenge: quirks.challenge ?? challenge,
      origin: quirks.origin ?? origin,
      crossOrigin: false,
      ...quirks.clientData,
    };
    return base64url(Buffer.from(JSON.stringify(data)));
  }

  #authenticatorData(credential: HeldCredential, more: number, quirks: Quirks): Buffer {
    const { verifiesUser, backupEligible, backedUp } = this.settings;
    const eligible = quirks.backupEligible ?? backupEligible;
    const flags =
      more |
      ((quirks.userPresent ?? true) ? 0x01 : 0) |
      ((quirks.userVerified ?? verifiesUser) ? 0x04 : 0) |
      (eligible ? 0x08 : 0) |
      ((quirks.backedUp ?? (eligible && backedUp)) ? 0x10 : 0);
    const tail = Buffer.alloc(5);
    tail[0] = flags;
    tail.writeUInt32BE(quirks.counter ?? credential.counter, 1);
    return Buffer.concat([sha256(quirks.rpId ?? credential.rpId), tail]);
  }
}

function newKeys(algorithm: CoseAlgorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === "EdDSA") return generateKeyPairSync("ed25519");
  if (algorithm === "RS256") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function der(tag: number, ...contents: Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x1_00 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

/** Makes a certificate with an empty name (RFC 5280 section 4.1). */
function selfSignedCertificate(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  const algorithm = der(0x30, Buffer.from("06082a8648ce3d040302", "hex"));
  const name = der(0x30);
  const [from, to] = ["200101000000Z", "491231235959Z"].map((time) => der(0x17, Buffer.from(time)));
  const certificate = der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    algorithm,
    name,
    der(0x30, from ?? Buffer.of(), to ?? Buffer.of()),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  return der(0x30, certificate, algorithm, der(0x03, Buffer.of(0), sign("sha256", certificate, privateKey)));
}

/** RFC 9052 section 7, RFC 9053 section 7 and RFC 8230 section 4. */
export function coseKey(algorithm: CoseAlgorithm, publicKey: KeyObject): Uint8Array {
  const jwk = publicKey.export({ format: "jwk" });
  const bytes = (value: string | undefined) => Buffer.from(value ?? "", "base64url");
  const alg = COSE_ALGORITHM[algorithm];
  type Entry = [number, number | Uint8Array];
  const entries: Record<CoseAlgorithm, () => Entry[]> = {
    ES256: () => [
      [1, 2],
      [3, alg],
      [-1, 1],
      [-2, bytes(jwk.x)],
      [-3, bytes(jwk.y)],
    ],
    EdDSA: () => [
      [1, 1],
      [3, alg],
      [-1, 6],
      [-2, bytes(jwk.x)],
    ],
    RS256: () => [
      [1, 3],
      [3, alg],
      [-1, bytes(jwk.n)],
      [-2, bytes(jwk.e)],
    ],
  };
  return encodeCbor(new Map(entries[algorithm]()));
}

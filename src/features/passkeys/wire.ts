import { toWireTime } from "../../core/clock.ts";
import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import type { PasskeysTable } from "../../storage/schema-people.ts";

export const passkeySchema = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
    backed_up: z.boolean().describe("Whether the passkey had a backup elsewhere at its last use."),
    backup_eligible: z.boolean().describe("Whether the passkey may leave its device (a synced passkey)."),
    transports: z
      .array(z.string())
      .describe("How browsers reach the passkey: `internal`, `hybrid`, `usb`, `nfc`, `ble`."),
    rp_id: z.string().describe("The domain that the passkey signs for."),
  })
  .meta({ id: "Passkey" });
export type WirePasskey = z.output<typeof passkeySchema>;

export const examplePasskey: WirePasskey = {
  id: "018f3c4e-3b4c-7d5e-9f60-718293a4b5c6",
  name: "Apple Passwords",
  created_at: "2026-01-01T12:00:00.000Z",
  last_used_at: "2026-01-02T08:30:00.000Z",
  backed_up: true,
  backup_eligible: true,
  transports: ["internal", "hybrid"],
  rp_id: "example.com",
};

export function toWirePasskey(row: PasskeysTable): WirePasskey {
  return {
    id: row.id,
    name: row.name,
    created_at: toWireTime(row.created_at),
    last_used_at: row.last_used_at === null ? null : toWireTime(row.last_used_at),
    backed_up: row.is_backed_up === 1,
    backup_eligible: row.is_backup_eligible === 1,
    transports: JSON.parse(row.transports) as string[],
    rp_id: row.rp_id,
  };
}

const descriptor = z.strictObject({
  id: z.string(),
  type: z.literal("public-key"),
  transports: z.array(z.string()),
});

/** WebAuthn level 3, section 5.5: the input of `PublicKeyCredential.parseRequestOptionsFromJSON`. */
export const requestOptionsSchema = z
  .strictObject({
    challenge: z.string().describe("base64url, like every byte string here."),
    rpId: z.string(),
    allowCredentials: z.array(descriptor).describe("Empty: any passkey of the domain that the person chooses."),
    timeout: z.int().describe("Milliseconds."),
    userVerification: z.enum(["preferred", "required"]),
  })
  .meta({ id: "PasskeyRequestOptions" });
export type RequestOptions = z.output<typeof requestOptionsSchema>;

/** WebAuthn level 3, section 5.4: the input of `PublicKeyCredential.parseCreationOptionsFromJSON`. */
export const creationOptionsSchema = z
  .strictObject({
    rp: z.strictObject({ id: z.string(), name: z.string() }),
    user: z.strictObject({ id: z.string(), name: z.string(), displayName: z.string() }),
    challenge: z.string().describe("base64url, like every byte string here."),
    pubKeyCredParams: z.array(z.strictObject({ type: z.literal("public-key"), alg: z.int() })),
    timeout: z.int().describe("Milliseconds."),
    excludeCredentials: z.array(descriptor),
    authenticatorSelection: z.strictObject({
      residentKey: z.literal("required"),
      requireResidentKey: z.literal(true),
      userVerification: z.enum(["preferred", "required"]),
    }),
    attestation: z.literal("none"),
    extensions: z.strictObject({ credProps: z.literal(true) }),
  })
  .meta({ id: "PasskeyCreationOptions" });
export type CreationOptions = z.output<typeof creationOptionsSchema>;

const bytes = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/, "must be base64url without padding");

/** At most 1023 bytes (WebAuthn level 3, section 4, "Credential ID"). */
const credentialId = bytes(1364);
// The output of a browser's `toJSON()`. Later levels of the standard may add members: unknown members are dropped, not refused.
const credential = { id: credentialId, rawId: credentialId, type: z.string().max(32).describe("`public-key`.") };
const clientDataJSON = bytes(4096);

export const registrationSchema = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON,
      attestationObject: bytes(16_384),
      transports: z.array(z.string().max(32)).max(16).nullish(),
    }),
  })
  .describe("The `toJSON()` of the answer of `navigator.credentials.create()`.");
export type RegistrationResponse = z.output<typeof registrationSchema>;

export const assertionSchema = z
  .object({
    ...credential,
    response: z.object({
      clientDataJSON,
      authenticatorData: bytes(8192),
      signature: bytes(2048),
      userHandle: bytes(128).nullish(),
    }),
  })
  .describe("The `toJSON()` of the answer of `navigator.credentials.get()`.");
export type AssertionResponse = z.output<typeof assertionSchema>;

export const passkeyName = lineOfText(100);

import { SallyportError, type SallyportLocalCode } from "../../internal/errors.ts";

/**
 * Passkeys by the browser's WebAuthn API, with JSON on both sides (WebAuthn Level 3, section 5.1.8 f.). This file converts:
 * many browsers lack `parse…FromJSON` and `toJSON`, and some password managers that replace the API break them.
 */
export function passkeysWork(): boolean {
  return typeof globalThis.PublicKeyCredential === "function" && globalThis.navigator?.credentials !== undefined;
}

/** Whether a field can offer passkeys among its suggestions. */
export async function suggestionsWork(): Promise<boolean> {
  return passkeysWork() && (await PublicKeyCredential.isConditionalMediationAvailable?.().catch(() => false)) === true;
}

export function unsupported(): SallyportError {
  return refusal("passkey_unsupported", "This browser does not support this use of passkeys.");
}

/** One ceremony at a time: a second one fails unless the first, which may wait among suggestions, is ended. */
let running: AbortController | null = null;

/**
 * Asks the user for a passkey.
 * @param options `PublicKeyCredentialRequestOptionsJSON`
 * @param isConditional waits among the suggestions of a field with `autocomplete="… webauthn"`
 * @returns `AuthenticationResponseJSON`
 * @throws SallyportError `passkey_cancelled`, `passkey_unsupported`; the signal's reason
 */
export async function askPasskey(options: unknown, isConditional: boolean, signal?: AbortSignal) {
  const json = options as PublicKeyCredentialRequestOptionsJSON;
  const publicKey = {
    ...json,
    challenge: bytesOf(json.challenge),
    allowCredentials: (json.allowCredentials ?? []).map(descriptorOf),
  } as unknown as PublicKeyCredentialRequestOptions;
  const credential = await ceremony(signal, (own) =>
    navigator.credentials.get({
      publicKey,
      signal: own,
      ...(isConditional ? { mediation: "conditional" as const } : {}),
    }),
  );
  const response = credential.response as AuthenticatorAssertionResponse;
  return answerOf(credential, {
    clientDataJSON: textOf(response.clientDataJSON),
    authenticatorData: textOf(response.authenticatorData),
    signature: textOf(response.signature),
    ...(response.userHandle ? { userHandle: textOf(response.userHandle) } : {}),
  });
}

/**
 * Makes a passkey.
 * @param options `PublicKeyCredentialCreationOptionsJSON`
 * @returns `RegistrationResponseJSON`
 * @throws SallyportError `passkey_cancelled`, `passkey_exists`, `passkey_unsupported`
 */
export async function makePasskey(options: unknown) {
  const json = options as PublicKeyCredentialCreationOptionsJSON;
  const publicKey = {
    ...json,
    challenge: bytesOf(json.challenge),
    user: { ...json.user, id: bytesOf(json.user.id) },
    excludeCredentials: (json.excludeCredentials ?? []).map(descriptorOf),
  } as unknown as PublicKeyCredentialCreationOptions;
  const credential = await ceremony(undefined, (signal) => navigator.credentials.create({ publicKey, signal }));
  const response = credential.response as AuthenticatorAttestationResponse;
  return answerOf(credential, {
    clientDataJSON: textOf(response.clientDataJSON),
    attestationObject: textOf(response.attestationObject),
    transports: response.getTransports?.() ?? [],
  });
}

async function ceremony(
  signal: AbortSignal | undefined,
  begin: (signal: AbortSignal) => Promise<Credential | null>,
): Promise<PublicKeyCredential> {
  if (!passkeysWork()) throw unsupported();
  signal?.throwIfAborted();
  running?.abort();
  const own = new AbortController();
  running = own;
  const stop = () => own.abort();
  signal?.addEventListener("abort", stop);
  try {
    const credential = await begin(own.signal);
    if (credential === null) throw refusal("passkey_cancelled", CANCELLED);
    return credential as PublicKeyCredential;
  } catch (error) {
    signal?.throwIfAborted();
    throw toSallyportError(error);
  } finally {
    signal?.removeEventListener("abort", stop);
    if (running === own) running = null;
  }
}

const CANCELLED = "No passkey was chosen in time.";

/** Browsers tell little on purpose: a page must not learn which passkeys exist before the user agrees. */
function toSallyportError(error: unknown): unknown {
  switch ((error as { name?: unknown } | null)?.name) {
    case "NotAllowedError":
    case "AbortError":
      return refusal("passkey_cancelled", CANCELLED, error);
    case "InvalidStateError":
      return refusal("passkey_exists", "This device already has a passkey for the account.", error);
    case "NotSupportedError":
    case "ConstraintError":
      return refusal(
        "passkey_unsupported",
        "This device cannot make the kind of passkey that the server asks for.",
        error,
      );
    case "SecurityError":
      return refusal("configuration_error", "The page's address does not fit the application's RP id.", error);
    default:
      return error;
  }
}

function refusal(code: SallyportLocalCode, message: string, cause?: unknown): SallyportError {
  return new SallyportError({ code, message, status: 400, type: "invalid_request_error", cause });
}

function answerOf<Response extends object>(credential: PublicKeyCredential, response: Response) {
  const { id, rawId, authenticatorAttachment } = credential;
  return {
    id,
    rawId: textOf(rawId),
    type: "public-key" as const,
    ...(authenticatorAttachment ? { authenticatorAttachment } : {}),
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

function descriptorOf(descriptor: PublicKeyCredentialDescriptorJSON) {
  return { ...descriptor, id: bytesOf(descriptor.id) };
}

/** From base64url. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** To base64url without padding. */
function textOf(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

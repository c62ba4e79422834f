import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Credential, Signer } from "./authenticator.ts";
import { post } from "./requests.ts";

/** Work whose requests cannot be prepared, because they depend on the previous answer or on the clock. */
export type Script =
  | { kind: "passkey"; host: string; application: string; rpId: string; origin: string; file: string }
  | { kind: "totp"; host: string; application: string; file: string };

/** Users with an authenticator app who are in the middle of a sign-in. */
export interface TotpSeed {
  /** Base64 of the key that their secrets are derived from. See {@link totpSecret}. */
  key: string;
  /** One MFA token per user. Each works once. */
  tokens: string[];
}

/** The interface that `load.ts` drives. A line is a connection with one open request. */
export interface Conversation {
  /**
   * @param answer the body of the line's last answer; null before its first
   * @returns the next request, and whether a piece of work is done
   */
  next(line: number, answer: string | null): { request: string; isDone: boolean };
}

export function openConversation(script: Script): Conversation {
  return script.kind === "passkey" ? passkeySignIns(script) : totpVerifications(script);
}

/** Sends `begin`, then `complete` with the answer to its challenge. Both together are one piece of work. */
function passkeySignIns({ host, application, rpId, origin, file }: Extract<Script, { kind: "passkey" }>): Conversation {
  const credentials = JSON.parse(readFileSync(file, "utf8")) as Credential[];
  const signers = credentials.map((credential) => new Signer(credential, rpId, origin));
  const begin = post(host, "/v1/auth/passkey/login/begin", {}, application);
  const isBegun: boolean[] = [];
  let turn = 0;
  return {
    next(line, answer) {
      if (answer === null || !isBegun[line]) {
        isBegun[line] = true;
        return { request: begin, isDone: answer !== null };
      }
      isBegun[line] = false;
      const { flow_id, public_key } = JSON.parse(answer) as { flow_id: string; public_key: { challenge: string } };
      const signer = signers[turn++ % signers.length];
      const body = { flow_id, response: signer?.answer(public_key.challenge) };
      return { request: post(host, "/v1/auth/passkey/login/complete", body, application), isDone: false };
    },
  };
}

/** Uses each user once, one after the other, because a step and a token are accepted only once. */
function totpVerifications({ host, application, file }: Extract<Script, { kind: "totp" }>): Conversation {
  const { key, tokens } = JSON.parse(readFileSync(file, "utf8")) as TotpSeed;
  let user = 0;
  return {
    next(_line, answer) {
      const token = tokens[user];
      if (token === undefined) throw new Error(`all ${tokens.length} users with an authenticator app are used up`);
      const code = totpCode(totpSecret(key, user++), Math.floor(Date.now() / 30_000));
      const body = { mfa_token: token, method: "totp", code };
      return { request: post(host, "/v1/auth/mfa/verify", body, application), isDone: answer !== null };
    },
  };
}

/** Returns 20 bytes, the size in authenticator apps. */
export function totpSecret(key: string, user: number): Buffer {
  return createHmac("sha1", Buffer.from(key, "base64")).update(String(user)).digest();
}

/** Computes a code by RFC 6238 with the parameters of every app: SHA-1, six digits. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const truncated = mac.readUInt32BE(mac.readUInt8(19) & 15) & 0x7fffffff;
  return String(truncated % 1_000_000).padStart(6, "0");
}

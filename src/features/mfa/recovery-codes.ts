import { createHmac, randomBytes } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { typedCode } from "../../core/typed-code.ts";
import { digestEquals } from "../../crypto/secrets.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { FactorAnswer, FactorProof, SecondFactor } from "../../identity/factors/second-factors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { DataKey } from "../../identity/keys/data-keys.ts";
import type { Executor } from "../../storage/storage.ts";
import { deleteCodes, hasUnusedCode, replaceCodes, unusedCodes, useCode } from "./store.ts";

const COUNT = 10;
/** Crockford's base32: leaves out the letters that look like others, and U, which would form words. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 125 bits. From 112 bits on, a lookup secret needs no password hash (ASVS 6.5.2). */
const LENGTH = 25;
const GROUP = /.{5}(?=.)/g;

/**
 * Ten recovery codes for the loss of the other factor. Each works once. The appliance keeps only their HMACs. After a password a
 * code is a second factor: something that the user has. After a mail or a passkey without verification it only stands in for
 * one, because the codes may lie in the same mailbox or on the same device.
 */
export class RecoveryCodes implements SecondFactor {
  readonly method = "recovery_code";
  readonly isBackup = true;

  constructor(private readonly identity: Pick<Identity, "dataKeys" | "notices" | "storage">) {}

  /** Makes ten new codes in the form that is shown once, `7Q4MZ-…`. {@link keep} stores them. */
  generate(): string[] {
    return Array.from({ length: COUNT }, () => {
      const characters = [...randomBytes(LENGTH)].map((byte) => ALPHABET.charAt(byte & 31));
      return characters.join("").replaceAll(GROUP, "$&-");
    });
  }

  /** Replaces all codes of the user by these. The caller has locked the user's row. */
  async keep(tx: Executor, now: number, user: { id: string; tenantId: string }, codes: string[]): Promise<void> {
    const pepper = this.identity.dataKeys.current("code-pepper");
    const digests = codes.map((code) => digestOf(pepper, user.id, normal(code)));
    const pepperVersion = pepper.version;
    await replaceCodes(tx, { userId: user.id, tenantId: user.tenantId, digests, pepperVersion, now });
  }

  /** @throws AppError `invalid_code`, alike for a wrong code, a used code, and another user's code */
  async check(answer: FactorAnswer): Promise<FactorProof> {
    const { userId, code } = answer;
    const digest = await this.#find(userId, normal(code ?? ""));
    if (digest === null) throw new AppError("invalid_code");
    return {
      amr: ["otp"],
      standsIn: !answer.proven?.includes("pwd"),
      commit: async (tx, now) => {
        if (!(await useCode(tx, { user_id: userId, digest, now }))) throw new AppError("invalid_code");
        await this.#used(tx, now, answer);
      },
    };
  }

  isEnrolled(at: Executor, userId: string): Promise<boolean> {
    return hasUnusedCode(at, userId);
  }

  forget(tx: Executor, userId: string): Promise<void> {
    return deleteCodes(tx, userId);
  }

  /** Compares with every code, so that the time does not tell which matched. */
  async #find(userId: string, code: string): Promise<string | null> {
    const { storage, dataKeys } = this.identity;
    let found: string | null = null;
    for (const row of await unusedCodes(storage.read, userId)) {
      const pepper = dataKeys.version("code-pepper", row.pepper_version);
      const given = pepper ? digestOf(pepper, userId, code) : "";
      if (digestEquals(Buffer.from(given), Buffer.from(row.digest))) found = row.digest;
    }
    return found;
  }

  async #used(tx: Executor, now: number, { act, userId }: FactorAnswer): Promise<void> {
    const left = String((await unusedCodes(tx, userId)).length);
    await act.audit(tx, now, "recovery_code.used", userRef(userId), { left });
    const notice = { kind: "factor", template: "recovery_code_used", userId, values: { left } } as const;
    await this.identity.notices.notify(tx, now, act, notice);
  }
}

/** Accepts codes as people type them, with O for 0, and I and L for 1: the alphabet has no such letters. */
function normal(code: string): string {
  return typedCode(code).replaceAll("O", "0").replaceAll(/[IL]/g, "1");
}

function digestOf(pepper: DataKey, userId: string, code: string): string {
  return createHmac("sha256", pepper.key).update(`recovery-code:${userId}:${code}`).digest("base64url");
}

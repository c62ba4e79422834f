import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { MasterKeys, SealError, sealedVersion } from "../../crypto/master-key.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import { getSetting, insertDataKeyOnce, listDataKeys, MASTER_KEY_CHECK, putSetting, putSettingOnce } from "./store.ts";

/** One key per purpose: each can be rotated alone, and none works for another purpose. */
export const DATA_KEY_PURPOSES = [
  "pepper",
  "refresh",
  "mfa",
  "code-pepper",
  "public-issuer",
  "audit-chain",
  "mail",
  "totp",
] as const;
export type DataKeyPurpose = (typeof DATA_KEY_PURPOSES)[number];

export interface DataKey {
  version: number;
  key: Uint8Array;
}

const CHECK_CONTEXT = { keyId: "instance", purpose: "master-key-check" };

/** The master key does not open this data. The message names the fix. */
export class MasterKeyMismatch extends Error {
  override name = "MasterKeyMismatch";
}

/** The data keys, held unsealed in memory for the life of the process. */
export class DataKeys {
  readonly #keys = new Map<DataKeyPurpose, DataKey[]>();

  /**
   * Opens every data key, and creates missing ones (a new purpose after an upgrade, or a new instance).
   * @throws MasterKeyMismatch when another master key sealed this data; never creates a new key silently
   */
  static async open(storage: Storage, master: MasterKeys, clock: Clock): Promise<DataKeys> {
    await checkMasterKey(storage, master);
    const present = new Set((await listDataKeys(storage.read)).map((row) => row.purpose));
    const missing = DATA_KEY_PURPOSES.filter((purpose) => !present.has(purpose));
    if (missing.length > 0) {
      await storage.write(async (tx) => {
        for (const purpose of missing) {
          const sealed = master.seal(randomBytes(32), { keyId: `${purpose}:1`, purpose });
          await insertDataKeyOnce(tx, { purpose, version: 1, sealed, created_at: clock.now(), retired_at: null });
        }
      });
    }
    const keys = new DataKeys();
    for (const row of await listDataKeys(storage.read)) {
      const purpose = row.purpose as DataKeyPurpose;
      const plain = master.open(row.sealed, { keyId: `${row.purpose}:${row.version}`, purpose: row.purpose });
      const list = keys.#keys.get(purpose) ?? [];
      list.push({ version: row.version, key: plain });
      keys.#keys.set(purpose, list);
    }
    return keys;
  }

  /** Returns the newest version, which makes new tokens and hashes. */
  current(purpose: DataKeyPurpose): DataKey {
    const key = this.#keys.get(purpose)?.at(-1);
    if (!key) throw new Error(`no data key for ${purpose}`);
    return key;
  }

  /** Returns the sealing keys of one purpose: the newest version seals, and every version opens. */
  box(purpose: DataKeyPurpose): MasterKeys {
    return new MasterKeys(new Map(this.#keys.get(purpose)?.map(({ version, key }) => [version, Buffer.from(key)])));
  }

  /** Returns every version, newest first. */
  versions(purpose: DataKeyPurpose): readonly DataKey[] {
    return this.#keys.get(purpose)?.toReversed() ?? [];
  }

  version(purpose: DataKeyPurpose, version: number): DataKey | undefined {
    return this.#keys.get(purpose)?.find((key) => key.version === version);
  }
}

async function checkMasterKey(storage: Storage, master: MasterKeys): Promise<void> {
  if ((await getSetting(storage.read, MASTER_KEY_CHECK)) === undefined) {
    const sealed = master.seal(Buffer.from("sallyport"), CHECK_CONTEXT);
    await storage.write((tx) => putSettingOnce(tx, MASTER_KEY_CHECK, Buffer.from(sealed).toString("base64")));
  }
  const check = (await getSetting(storage.read, MASTER_KEY_CHECK)) ?? "";
  if (opensCheck(master, check)) return;
  throw new MasterKeyMismatch(
    "The master key does not open this data. Use the key that `sallyport init` ran with " +
      "(SALLYPORT_MASTER_KEY, SALLYPORT_MASTER_KEY_FILE or the systemd credential sallyport_master_key).",
  );
}

/** Seals the check value under the newest version. @returns whether an older version had made it @throws SealError */
export async function resealCheck(tx: Executor, master: MasterKeys): Promise<boolean> {
  const check = Buffer.from((await getSetting(tx, MASTER_KEY_CHECK)) ?? "", "base64");
  if (sealedVersion(check) === master.currentVersion) return false;
  const sealed = master.seal(master.open(check, CHECK_CONTEXT), CHECK_CONTEXT);
  await putSetting(tx, MASTER_KEY_CHECK, Buffer.from(sealed).toString("base64"));
  return true;
}

/** Returns whether this master key sealed an instance's check value (setting `master_key_check`). */
export function opensCheck(master: MasterKeys, check: string): boolean {
  try {
    master.open(Buffer.from(check, "base64"), CHECK_CONTEXT);
    return true;
  } catch (error) {
    if (error instanceof SealError) return false;
    throw error;
  }
}

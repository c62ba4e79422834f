import { SallyportError } from "../../internal/errors.ts";

/**
 * The platform's secure store, for an app without cookies: the keychain, Expo's SecureStore, Electron's safeStorage. Keys hold
 * letters, digits, `.`, `-` and `_` only. Values are shorter than 2,048 characters.
 */
export interface SessionStorage {
  get(key: string): string | null | undefined | Promise<string | null | undefined>;
  set(key: string, value: string): void | Promise<void>;
  delete(key: string): void | Promise<void>;
}

/** The app's storage did not read or write. It says nothing about the session, which goes on. */
function storageFailed(work: "get" | "set" | "delete", cause: unknown): SallyportError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SallyportError({
    code: "storage_failed",
    message: `The session's storage failed in ${work}: ${reason}`,
    status: 500,
    type: "api_error",
    details: { method: work },
    cause,
  });
}

/** Calls the app's storage. @throws SallyportError `storage_failed`, which names the method */
export class CheckedStorage {
  constructor(private readonly storage: SessionStorage) {}

  async get(key: string): Promise<string | null> {
    const value = await this.#run("get", () => this.storage.get(key));
    if (value === null || value === undefined || value === "") return null;
    if (typeof value !== "string") throw storageFailed("get", new Error("it returned a value that is not a text"));
    return value;
  }

  async set(key: string, value: string): Promise<void> {
    await this.#run("set", () => this.storage.set(key, value));
  }

  async delete(key: string): Promise<void> {
    await this.#run("delete", () => this.storage.delete(key));
  }

  async #run<T>(work: "get" | "set" | "delete", run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      throw storageFailed(work, cause);
    }
  }
}

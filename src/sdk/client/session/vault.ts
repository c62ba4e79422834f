import { configurationError, SallyportError } from "../../internal/errors.ts";
import type { TabChannel, TabMessage } from "./channel.ts";
import { createLocalLock, type Lock } from "./lock.ts";
import { CheckedStorage, type SessionStorage } from "./token-storage.ts";

/** Sends one refresh token to the appliance. */
type Send = (refreshToken: string) => Promise<unknown>;

/** A credential of a session that the user has left: either token can end it. */
export interface Leaving {
  kind: "access" | "refresh";
  token: string;
}

/**
 * Keeps the refresh token of an app without cookies in the app's own storage. All sessions of this process that use one storage
 * share one vault, and so one lock: a refresh token used twice looks like theft and ends the session.
 *
 * A new refresh token is stored before it is used. Until its successor is used, the appliance takes the stored token for two
 * minutes more, so a crash between the answer and the store loses nothing.
 */
export class Vault {
  readonly lock: Lock = createLocalLock();
  readonly #storage: CheckedStorage;
  readonly #refreshKey: string;
  readonly #leavingKey: string;
  readonly #listeners = new Map<object, (message: TabMessage) => void>();
  /** A token that the storage has not taken yet. It may not be used before that. */
  #unsaved: string | null = null;

  constructor(storage: SessionStorage, name: string) {
    this.#storage = new CheckedStorage(storage);
    this.#refreshKey = `${name}.refresh`;
    this.#leavingKey = `${name}.leaving`;
  }

  /** Links the sessions of this process, as a channel links the tabs of a browser. */
  open(listen: (message: TabMessage) => void): TabChannel {
    const own = {};
    this.#listeners.set(own, listen);
    return {
      broadcast: (message) => {
        for (const [key, hear] of [...this.#listeners]) if (key !== own) hear(message);
      },
      close: () => {
        this.#listeners.delete(own);
      },
    };
  }

  /**
   * Spends the stored token, and removes it if the appliance refuses it.
   * @returns null if no token is stored
   * @throws SallyportError `storage_failed` before anything is sent
   */
  async spend(send: Send, isRefusal: (error: unknown) => boolean): Promise<unknown> {
    if (this.#unsaved !== null) await this.save(this.#unsaved);
    let token = await this.#storage.get(this.#refreshKey);
    while (token !== null) {
      try {
        return await send(token);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        // Another process with the same storage may have replaced the token meanwhile.
        const now = await this.#storage.get(this.#refreshKey);
        if (now === token) {
          await this.remove();
          throw error;
        }
        token = now;
      }
    }
    return null;
  }

  /** @throws SallyportError `storage_failed`: the token stays in memory, and the next {@link spend} stores it first */
  async save(token: string): Promise<void> {
    this.#unsaved = token;
    await this.#storage.set(this.#refreshKey, token);
    this.#unsaved = null;
  }

  async remove(): Promise<void> {
    await this.#storage.delete(this.#refreshKey);
    this.#unsaved = null;
  }

  /**
   * Removes the token from the storage, and notes how to end its session. The note comes first: an app that is killed in
   * between finishes the sign-out at its next start.
   * @param access the access token in memory, which is preferred: it dies within minutes, and can still end its session
   * @throws SallyportError `storage_failed`: the session goes on
   */
  async leave(access: string | null): Promise<void> {
    const refresh = this.#unsaved ?? (await this.#storage.get(this.#refreshKey));
    if (access === null && refresh === null) return;
    await this.#storage.set(this.#leavingKey, access === null ? `refresh ${refresh}` : `access ${access}`);
    try {
      await this.remove();
    } catch (error) {
      await this.left().catch(() => {});
      throw error;
    }
  }

  /** Returns the session that has still to be ended at the appliance, if any. */
  async leaving(): Promise<Leaving | null> {
    const note = await this.#storage.get(this.#leavingKey);
    const [, kind, token] = /^(access|refresh) (.+)$/.exec(note ?? "") ?? [];
    return token === undefined ? null : { kind: kind === "access" ? "access" : "refresh", token };
  }

  /** Forgets the session that was to be ended. */
  async left(): Promise<void> {
    await this.#storage.delete(this.#leavingKey);
  }
}

const vaults = new WeakMap<SessionStorage, Map<string, Vault>>();

/**
 * Returns the vault of a storage for an appliance and an application.
 * @throws SallyportError `configuration_error` unless the storage has its three methods
 */
export function vaultOf(storage: SessionStorage, url: string, applicationId: string): Vault {
  for (const method of ["get", "set", "delete"] as const) {
    if (typeof (storage as Partial<SessionStorage> | null)?.[method] === "function") continue;
    throw configurationError(
      `createSession's \`storage\` needs the methods get, set and delete, but has no ${method}.`,
    );
  }
  // Expo's SecureStore takes these characters only.
  const name = `sallyport.${url.replace(/[^\w.-]+/g, "_")}.${applicationId}`;
  const known = vaults.get(storage) ?? new Map<string, Vault>();
  vaults.set(storage, known);
  const vault = known.get(name) ?? new Vault(storage, name);
  known.set(name, vault);
  return vault;
}

/** Reads the refresh token of an answer. @throws SallyportError `configuration_error` if the appliance keeps it from the app */
export function requireRefreshToken(answer: unknown): string {
  const { refresh_token: token } = (answer ?? {}) as { refresh_token?: unknown };
  if (typeof token === "string") return token;
  throw new SallyportError({
    code: "configuration_error",
    message:
      "The appliance keeps the refresh token from this app, because its requests name an origin as a page's do. Give the " +
      "application the type native.",
    status: 500,
    type: "invalid_request_error",
  });
}

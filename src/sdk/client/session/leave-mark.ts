/**
 * Keeps a sign-out beyond the page that asked for it. The browser gives the lock to the next page as soon as this one is left,
 * while the request is still on its way: a refresh could overtake it and show the user as signed in. The next page therefore
 * finds the mark, and finishes the sign-out first. The mark holds the session's id, and no secret.
 */
export class LeaveMark {
  constructor(private readonly name: string) {}

  /** The id of the session to leave, an empty text if it is not known; null without a mark. */
  get sid(): string | null {
    return attempt((storage) => storage.getItem(this.name));
  }

  set(sid: string | undefined): void {
    attempt((storage) => storage.setItem(this.name, sid ?? ""));
  }

  clear(): void {
    attempt((storage) => storage.removeItem(this.name));
  }
}

/** A page may be denied its storage (a sandboxed frame, blocked site data): then a reload may overtake a sign-out. */
function attempt<T>(work: (storage: Storage) => T): T | null {
  try {
    return work(globalThis.localStorage);
  } catch {
    return null;
  }
}

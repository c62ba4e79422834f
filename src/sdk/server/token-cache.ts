/**
 * A bounded map for frequent look-ups. It has two generations and drops the older one when the younger is full. An entry in use
 * moves to the younger, so it stays. Nothing is sorted, and a flood of new entries costs only time.
 */
export class TokenCache<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  readonly #generation: number;

  /** @param capacity the most entries; 0 holds none */
  constructor(capacity: number) {
    this.#generation = Math.floor(capacity / 2);
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: T): void {
    if (this.#generation === 0) return;
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

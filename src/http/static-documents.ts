import type { Clock } from "../core/clock.ts";
import { SECOND } from "../core/clock.ts";
import type { PublicDocument } from "./public-document.ts";

/** A public document that depends only on its address, and not on any header or Host. */
export interface StaticDocument {
  paths: readonly string[];
  /** @throws AppError if the address has no document now; the handler answers with the reason */
  read(): Promise<{ document: PublicDocument; validUntil: number }>;
}

/** Milliseconds between rebuilds. The answer of a handler may be as old. */
const EVERY = SECOND;
/** The first read of a tenant's keys may create its first key. */
const ATTEMPTS = 3;

/**
 * Documents that the listener answers by itself (GET, HEAD and 304) without running any JavaScript, at ten times the
 * rate. A document never lacks a signing key: a change of keys withdraws all documents in the same turn, and the
 * handlers answer until new ones are ready.
 */
export class StaticDocuments {
  /** null before the listener has routes. */
  #served: string | null = null;
  #validUntil = Number.POSITIVE_INFINITY;
  #changes = 0;
  #updating = false;
  #timer: Timer | undefined;

  /** @param serve makes the listener serve these documents at these paths, and no others */
  constructor(
    private readonly documents: readonly StaticDocument[],
    private readonly clock: Clock,
    private readonly serve: (documents: ReadonlyMap<string, PublicDocument>) => void,
  ) {}

  /** Resolves when the listener has its routes. */
  async start(): Promise<void> {
    await this.update();
    if (this.#served === null) this.#put([]);
    this.#timer = setInterval(() => void this.update(), EVERY);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#changes++;
  }

  /** Withdraws all documents, and discards a read that is under way, because it may be out of date. */
  withdraw(): void {
    this.#changes++;
    if (!this.#served) return;
    this.#served = "";
    this.serve(new Map());
  }

  async update(): Promise<void> {
    // Even if the next documents cannot be read: an expired key must not be published.
    if (this.#validUntil <= this.clock.now()) this.withdraw();
    if (this.#updating) return;
    this.#updating = true;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const begun = this.#changes;
        const made = await Promise.all(this.documents.map((source) => source.read().catch(() => null)));
        if (begun === this.#changes) return this.#put(made);
      }
    } finally {
      this.#updating = false;
    }
  }

  #put(made: readonly ({ document: PublicDocument; validUntil: number } | null)[]): void {
    const found = new Map<string, PublicDocument>();
    made.forEach((one, index) => {
      if (one) for (const path of this.documents[index]?.paths ?? []) found.set(path, one.document);
    });
    this.#validUntil = Math.min(...made.map((one) => one?.validUntil ?? Number.POSITIVE_INFINITY));
    const served = [...found].map(([path, { etag }]) => `${path} ${etag}`).join("\n");
    if (served === this.#served) return;
    this.#served = served;
    this.serve(found);
  }
}

import type { Clock } from "../core/clock.ts";
import { SECOND } from "../core/clock.ts";
import type { PublicDocument } from "./public-document.ts";

/** A public document that its address alone decides: no header, no Host. */
export interface StaticDocument {
  paths: readonly string[];
  /** @throws AppError where the address has no document now: the handler tells why */
  read(): Promise<{ document: PublicDocument; validUntil: number }>;
}

/** How often the documents are made anew: as old as a handler's answer may be, too. Milliseconds. */
const EVERY = SECOND;
/** Reading may itself be what makes a tenant's first key. */
const ATTEMPTS = 3;

/**
 * Documents that the listener answers by itself, GET, HEAD and 304, without running any of our code: an order of
 * magnitude more of them a second. What stands there is never older than the keys that sign: a change withdraws all of them
 * in the same turn, and the handlers answer until the next ones are made.
 */
export class StaticDocuments {
  /** null: the listener has no routes yet. */
  #served: string | null = null;
  #validUntil = Number.POSITIVE_INFINITY;
  #changes = 0;
  #updating = false;
  #timer: Timer | undefined;

  /** @param serve lets the listener answer these paths with these documents, and no others */
  constructor(
    private readonly documents: readonly StaticDocument[],
    private readonly clock: Clock,
    private readonly serve: (documents: ReadonlyMap<string, PublicDocument>) => void,
  ) {}

  /** The listener has its routes when this resolves. */
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

  /** What was read before may be out of date. */
  withdraw(): void {
    this.#changes++;
    if (!this.#served) return;
    this.#served = "";
    this.serve(new Map());
  }

  async update(): Promise<void> {
    // Whether or not the next ones can be read: an expired key is not published.
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

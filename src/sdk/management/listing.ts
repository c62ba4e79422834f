import { unexpectedResponse } from "../internal/errors.ts";
import type { Page, PageOptions } from "../internal/page.ts";

/** Items per page when everything is read. */
const WALKING = 100;

/**
 * The result of a list call. Awaited, it is one page; iterated, it is everything from there on, page by page as it is read.
 * It sends no request before either.
 */
export class Listing<T> implements PromiseLike<Page<T>>, AsyncIterable<T> {
  readonly #read: (options: PageOptions) => Promise<Page<T>>;
  readonly #options: PageOptions;

  constructor(read: (options: PageOptions) => Promise<Page<T>>, options: PageOptions) {
    this.#read = read;
    this.#options = options;
  }

  /** One page. */
  page(): Promise<Page<T>> {
    return this.#read(this.#options);
  }

  // biome-ignore lint/suspicious/noThenProperty: `await list()` gives the page, as `for await` gives everything.
  then<A = Page<T>, B = never>(
    resolve?: ((page: Page<T>) => A | PromiseLike<A>) | null,
    reject?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.page().then(resolve, reject);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const limit = this.#options.limit ?? WALKING;
    let cursor = this.#options.cursor ?? null;
    for (;;) {
      const { data, next_cursor } = await this.#read({ limit, cursor });
      yield* data;
      if (next_cursor === null) return;
      if (next_cursor === cursor) throw unexpectedResponse("", 200, "an endless list");
      cursor = next_cursor;
    }
  }
}

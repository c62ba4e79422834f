import { type ReactElement, type ReactNode, useState } from "react";
import type { Page } from "../../internal/page.ts";
import { useAction } from "../action.ts";
import { ActionStatus } from "../action-status.tsx";
import { useProvided } from "../context.ts";
import { type Load, Loaded, useLoaded } from "../loaded.tsx";

export interface Pages<T> {
  first: Load<Page<T>>;
  /** All the entries loaded so far. */
  entries: (first: Page<T>) => T[];
  next: (first: Page<T>) => string | null;
  more: (cursor: string) => Promise<void>;
  reload: () => Promise<void>;
}

/** Loads a list page by page. */
export function usePages<T>(load: (input: { limit: number; cursor?: string }) => Promise<Page<T>>): Pages<T> {
  const [rest, setRest] = useState<Page<T> | null>(null);
  const first = useLoaded(() => load({ limit: 50 }));
  return {
    first,
    entries: ({ data }) => [...data, ...(rest?.data ?? [])],
    next: ({ next_cursor }) => (rest ? rest.next_cursor : next_cursor),
    async more(cursor) {
      const page = await load({ limit: 50, cursor });
      setRest({ data: [...(rest?.data ?? []), ...page.data], next_cursor: page.next_cursor });
    },
    async reload() {
      await first.reload();
      setRest(null);
    },
  };
}

export interface EntriesProps<T> {
  of: Pages<T>;
  /** Shown in place of an empty list. */
  none?: string | undefined;
  children: (entry: T) => ReactNode;
}

/** The entries of a list, and a button for the next page. */
export function Entries<T extends { id: string }>({ of, none, children }: EntriesProps<T>): ReactElement {
  const { texts } = useProvided();
  const more = useAction(of.more);
  return (
    <Loaded of={of.first}>
      {(first) => {
        const entries = of.entries(first);
        const next = of.next(first);
        if (entries.length === 0) return none !== undefined && <p>{none}</p>;
        return (
          <>
            <ul className="sallyport-list">
              {entries.map((entry) => (
                <li key={entry.id} className="sallyport-entry">
                  {children(entry)}
                </li>
              ))}
            </ul>
            {next !== null && (
              <>
                <button type="button" className="sallyport-button" onClick={() => more.run(next)}>
                  {texts.more}
                </button>
                <ActionStatus action={more} />
              </>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

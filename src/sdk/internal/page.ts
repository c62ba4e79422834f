import type { UsersListInput, UsersListOutput } from "../client/api.gen.ts";

/** One page of a list, as every list call answers it. */
export interface Page<T> extends Omit<UsersListOutput, "data"> {
  data: T[];
}

/** `limit` is 1 to 100 (default 20); `cursor` is the `next_cursor` of the page before. */
export type PageOptions = Pick<UsersListInput, "limit" | "cursor">;

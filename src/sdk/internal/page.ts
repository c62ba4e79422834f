import type { UsersListInput, UsersListOutput } from "../client/api.gen.ts";

/** One page of a list, as every list call of the wire answers it. */
export interface Page<T> extends Omit<UsersListOutput, "data"> {
  data: T[];
}

/** `limit` 1 to 100 (20 when absent); `cursor` the `next_cursor` of the page before. */
export type PageOptions = Pick<UsersListInput, "limit" | "cursor">;

import { formsOfId, type IdKind, parseId, patternOfId } from "../core/ids.ts";
import * as z from "../core/zod.ts";

/** At most 8 kB of JSON per object, because metadata travels in every answer about its user. */
const MAX_METADATA = 8 * 1024;
const MAX_DEPTH = 8;

export const metadataInput = z
  .record(z.string().min(1).max(100), z.unknown())
  .refine((value) => depthOf(value) <= MAX_DEPTH, `may be nested at most ${MAX_DEPTH} deep`)
  .refine((value) => JSON.stringify(value).length <= MAX_METADATA, "may be at most 8 kB of JSON")
  .describe("A JSON object for the customer's own use, at most 8 kB.");

/** Takes an id in either form and gives its UUID. The API's description shows the forms, so that it is as strict as this. */
export function idInput(kind: IdKind, wrong = formsOfId(kind)) {
  return z
    .string()
    .regex(new RegExp(patternOfId(kind)), wrong)
    .overwrite((text) => parseId(kind, text) ?? text);
}

/** The input of every list. A cursor is the id of the last object of a page. */
export const pageInput = (kind: IdKind) => ({
  limit: z.number().int().min(1).max(100).default(20),
  cursor: idInput(kind, "must be the next_cursor of the previous page")
    .nullish()
    .describe("The `next_cursor` of the previous page."),
});

export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({
    data: z.array(item),
    next_cursor: z.string().nullable().describe("null on the last page."),
  });
}

/** Cuts a page that was read with one extra row. `cursorOf` returns the cursor of the next page. */
export function cutPage<Row, Wire>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => string,
  toWire: (row: Row) => Wire,
): { data: Wire[]; next_cursor: string | null } {
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    data: kept.map(toWire),
    next_cursor: rows.length > limit && last !== undefined ? cursorOf(last) : null,
  };
}

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let deepest = 0;
  for (const inner of Object.values(value)) deepest = Math.max(deepest, depthOf(inner));
  return deepest + 1;
}

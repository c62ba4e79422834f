import { invalidField } from "../core/errors.ts";
import type * as z from "../core/zod.ts";

/** A schema as it describes itself. Only these members are read. */
interface Definition {
  type: string;
  innerType?: { def: Definition };
  shape?: Record<string, { def: Definition }>;
}

/** Reads the query of a procedure's request: texts, and numbers and truth values where its input wants them. */
export type QueryReader = (url: string) => Record<string, unknown> | undefined;

/**
 * Returns the reader for one input. A number is written in decimal digits only, so that `0x10` and an empty text are refused, and
 * tRPC's JSON takes numbers alone.
 */
export function queryReader(input: z.ZodType): QueryReader {
  let kinds: Record<string, string> | undefined;
  return (url) => {
    const texts = readQuery(url);
    if (texts === undefined) return undefined;
    // At the first request, because a schema is built at its first use.
    kinds ??= kindsOf(input);
    const values: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(texts)) values[name] = typed(kinds[name], text);
    return values;
  };
}

function kindsOf(input: z.ZodType): Record<string, string> {
  const fields = Object.entries(bare(input as unknown as { def: Definition }).shape ?? {});
  return Object.fromEntries(fields.map(([name, field]) => [name, bare(field).type]));
}

/** Returns the definition inside `optional`, `nullable` and `default`. */
function bare({ def }: { def: Definition }): Definition {
  return def.innerType ? bare(def.innerType) : def;
}

/** A text of another form stays text, which the schema then refuses. */
function typed(kind: string | undefined, text: string): unknown {
  if (kind === "number" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}

/** One name and one value without any encoding. Most queries look like this, and need no URLSearchParams. */
const ONE_PLAIN = /^([\w-]+)=([\w.~-]*)$/;

function readQuery(url: string): Record<string, string> | undefined {
  const start = url.indexOf("?");
  if (start === -1) return undefined;
  const plain = ONE_PLAIN.exec(url.slice(start + 1));
  if (plain?.[1] !== undefined && plain[1] !== "__proto__") return { [plain[1]]: plain[2] ?? "" };
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(url.slice(start))) {
    if (Object.hasOwn(query, name) || name === "__proto__") throw invalidField(name, "must be given once");
    query[name] = value;
  }
  return query;
}

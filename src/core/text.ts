import { z } from "zod";

const isPlain = (text: string) => !/\p{Cc}/u.test(text) && text.isWellFormed();

/** Accepts one line of text for people: no control characters (PostgreSQL refuses a NUL), no half of a surrogate pair. */
export function lineOfText(max: number) {
  return z.string().trim().min(1).max(max).refine(isPlain, "must not hold control characters");
}

/** Does the same as {@link lineOfText} for text that programs compare: spaces count. */
export function exactText(max: number) {
  return z.string().min(1).max(max).refine(isPlain, "must not hold control characters");
}

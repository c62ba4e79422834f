import * as z from "./zod.ts";

/** The characters below as ranges, for the API's description: not every tool knows Unicode's classes. */
const CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f";
const DIRECTIONS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
const INNER = `${CONTROLS}${DIRECTIONS}`;

const isPlain = (text: string) => !/\p{Cc}/u.test(text) && text.isWellFormed();

/** They reorder the text around them: a name could make the rest of a page or a mail read backwards (CVE-2021-42574). */
const BIDI_CONTROL = /\p{Bidi_Control}/u;

/**
 * Accepts one line of text for people: no control characters (PostgreSQL refuses a NUL), also none for directions of
 * writing, no half of a surrogate pair.
 */
export function lineOfText(max: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => isPlain(text) && !BIDI_CONTROL.test(text), "must not hold control characters")
    .meta({ pattern: `^\\s*[^\\s${INNER}]([^${INNER}]*[^\\s${INNER}])?\\s*$` });
}

/** Does the same as {@link lineOfText} for text that programs compare: spaces count. */
export function exactText(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .refine(isPlain, "must not hold control characters")
    .meta({ pattern: `^[^${CONTROLS}]*$` });
}

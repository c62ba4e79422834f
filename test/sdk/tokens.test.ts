import { describe, expect, test } from "bun:test";
import { literalOf, schemesOf } from "../../scripts/generate/colors.ts";
import { repositoryFiles } from "../../scripts/lib/repository.ts";
import { MAIL_COLORS } from "../../src/mail/colors.gen.ts";

const tokens = await Bun.file(new URL("../../src/sdk/react/tokens.css", import.meta.url)).text();
const LOOKS = /^(src|web)\/.*\.css$|^src\/mail\/(layout|render)\.ts$|^(src\/sdk\/react|web)\/.*\.(tsx?|html)$/;
/** The tokens and the file computed from them. A QR code brings the colours in which the appliance drew it. */
const EXEMPT = /^src\/sdk\/react\/(tokens\.css|tokens-fallback\.gen\.css|qr-code\.tsx)$/;
/** A hash before a parenthesis or after a dot is a private member. */
const COLOUR =
  /(?<!\.)#[0-9a-f]{3,8}\b(?![(-])|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|:\s*(?:white|black|red|green|blue|gr[ae]y)\b/gi;

function coloursIn(text: string): string[] {
  return text.split("\n").flatMap((line) => [...line.matchAll(COLOUR)].map(([colour]) => colour));
}

test("only the tokens name a colour: no stylesheet, component, page or mail does", async () => {
  const files = (await repositoryFiles()).filter(({ path }) => LOOKS.test(path) && !EXEMPT.test(path));
  expect(files.map(({ path }) => path)).toContain("web/link/link.css");
  expect(files.map(({ path }) => path)).toContain("src/mail/layout.ts");
  const found = files.flatMap(({ path, text }) => coloursIn(text).map((colour) => `${path}: ${colour}`));
  expect(found).toEqual([]);
});

test("finds a colour in each notation", () => {
  const named = ["a { color: #fff }", "b { fill: oklch(0.5 0.1 20) }", "i { color: white }", "u { color: rgb(1 2 3) }"];
  for (const text of named) expect([text, coloursIn(text).length]).toEqual([text, 1]);
});

test("every variable that a stylesheet reads is a token or its own", async () => {
  const sheets = (await repositoryFiles()).filter(({ path }) => /^(src|web)\/.*\.css$/.test(path));
  const known = new Set([...tokens.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
  for (const { path, text } of sheets) {
    const own = new Set([...text.matchAll(/(--[\w-]+):/g)].map(([, name]) => name));
    const read = [...text.matchAll(/var\((--[\w-]+)(?=[,)])/g)].map(([, name]) => name ?? "");
    const unknown = read.filter(
      (name) => !known.has(name) && !own.has(name) && !/^--sallyport-|^--s-button$/.test(name),
    );
    expect([path, unknown]).toEqual([path, []]);
  }
});

/** WCAG 2.2, relative luminance and contrast. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["ground", "surface", "raised"];
/** Texts with their backgrounds (4.5:1), then edges with theirs (3:1): WCAG 1.4.3 and 1.4.11. */
const READ: [text: string, grounds: string[]][] = [
  ["text", [...GROUNDS, "sunken", "accent-soft", "good-soft", "warn-soft", "bad-soft"]],
  ["muted", GROUNDS],
  ["accent", GROUNDS],
  ["good", [...GROUNDS, "good-soft"]],
  ["warn", [...GROUNDS, "warn-soft"]],
  ["bad", [...GROUNDS, "bad-soft"]],
  ["on-primary", ["primary"]],
];
const SEEN: [edge: string, grounds: string[]][] = [
  ["edge", GROUNDS],
  ["focus", GROUNDS],
  ["bad", GROUNDS],
];

describe.each(Object.entries(schemesOf(tokens)))("%s", (_, scheme) => {
  const table = [
    ...READ.flatMap(([name, grounds]) => grounds.map((ground) => ({ name, ground, least: 4.5 }))),
    ...SEEN.flatMap(([name, grounds]) => grounds.map((ground) => ({ name, ground, least: 3 }))),
  ];
  test.each(table)("$name on $ground has $least:1", ({ name, ground, least }) => {
    expect(contrast(literalOf(scheme, name), literalOf(scheme, ground))).toBeGreaterThanOrEqual(least);
  });
});

test("mails have the contrast of pages", () => {
  for (const { card, ground, text, muted, button, onButton, code } of Object.values(MAIL_COLORS)) {
    for (const [one, other] of [
      [text, card],
      [text, code],
      [muted, card],
      [muted, ground],
      [onButton, button],
    ] as const) {
      expect(contrast(one, other)).toBeGreaterThanOrEqual(4.5);
    }
  }
});

/** A colour in sRGB: red, green, blue and opacity, each from 0 to 1. */
interface Rgb {
  red: number;
  green: number;
  blue: number;
  alpha: number;
}

/** The tokens of one scheme: names without their dashes, and values. */
export type Scheme = ReadonlyMap<string, string>;

const DECLARATION = /--s-([\w-]+):\s*([^;]+);/g;
const LIGHT_DARK = /light-dark\((oklch\([^)]*\)),\s*(oklch\([^)]*\))\)/g;
const OKLCH = /oklch\(([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?\)/g;
/** `#rrggbb`, or `#rrggbbaa` for a translucent colour. */
const HEX = /^#[0-9a-f]{6,8}$/;

/** Returns the colour tokens for light and for dark, in notations that every browser knows. */
export function schemesOf(css: string): { light: Scheme; dark: Scheme } {
  const light = new Map<string, string>();
  const dark = new Map<string, string>();
  for (const [, name = "", value = ""] of css.matchAll(DECLARATION)) {
    if (!value.includes("oklch(")) continue;
    light.set(name, inHex(value.replaceAll(LIGHT_DARK, "$1")));
    dark.set(name, inHex(value.replaceAll(LIGHT_DARK, "$2")));
  }
  return { light, dark };
}

/** Returns a token's colour without the names that a page may override it with. @throws Error unless it holds a colour */
export function literalOf(scheme: Scheme, name: string): string {
  const literal = /#[0-9a-f]+/.exec(scheme.get(name) ?? "")?.[0] ?? "";
  if (!HEX.test(literal)) throw new Error(`the tokens have no colour ${name}`);
  return literal;
}

function inHex(value: string): string {
  return value.replaceAll(OKLCH, (_, lightness, chroma, hue, alpha = "1") =>
    hexOf(toRgb(Number(lightness), Number(chroma), Number(hue), Number(alpha))),
  );
}

/** Converts by CSS Color 4, section 10.2: OKLCH to OKLab to linear sRGB to sRGB. Clips colours outside of sRGB. */
function toRgb(lightness: number, chroma: number, hue: number, alpha: number): Rgb {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return {
    red: encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    green: encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    blue: encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
    alpha,
  };
}

function encoded(linear: number): number {
  const value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.min(Math.max(value, 0), 1);
}

function hexOf({ red, green, blue, alpha }: Rgb): string {
  const parts = alpha === 1 ? [red, green, blue] : [red, green, blue, alpha];
  const digits = parts.map((part) =>
    Math.round(part * 255)
      .toString(16)
      .padStart(2, "0"),
  );
  return `#${digits.join("")}`;
}

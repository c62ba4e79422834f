import type { Settings } from "./config.ts";

/** Returns effective settings as text, to compare and to show: `(set)` for a secret, null without a value. */
export function shownSettings(settings: Settings, values: object): Record<string, string | null> {
  const given = new Map<string, unknown>(Object.entries(values));
  return Object.fromEntries(
    Object.entries(settings).map(([key, { secret }]) => {
      const value = given.get(key);
      if (value === undefined || value === null) return [key, null];
      return [key, secret ? "(set)" : textOf(value)];
    }),
  );
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner instanceof Map ? [...inner].map((pair) => pair.join("=")) : inner,
  );
}

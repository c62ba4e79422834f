import { readFileSync } from "node:fs";
import * as z from "./zod.ts";

/**
 * Configuration: each capability declares a slice, and `app.ts` composes the slices into one schema. Precedence:
 * defaults < file < environment < flags. The same snake_case key is `SALLYPORT_PUBLIC_URL` in the environment and
 * `--public-url` as a flag. A file may hold a secret: `SALLYPORT_MASTER_KEY_FILE`.
 */
export interface Setting<T = unknown> {
  /** Accepts both the native value (file) and the string (environment, flag). */
  schema: z.ZodType<T>;
  /** One sentence for `--help` and the reference. */
  doc: string;
  /** The written form of the default, if the parsed value does not show it. */
  shownDefault?: string;
  /** May be set as `<KEY>_FILE`, and is never printed. */
  secret?: true;
}

export type Settings = Readonly<Record<string, Setting>>;
export type SettingsOf<S extends Settings> = { readonly [K in keyof S]: z.output<S[K]["schema"]> };

/** Declares a slice and keeps the types of its values. */
export function defineSettings<const S extends Settings>(settings: S): S {
  return settings;
}

type Intersection<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void ? I : never;
/** The settings of several slices in one type. */
export type ComposedSettings<Slices extends Readonly<Record<string, Settings>>> =
  Intersection<Slices[keyof Slices]> extends infer S extends Settings ? S : never;

/** Composes slices, each under its owner's name. @throws ConfigError when two slices declare the same setting */
export function composeSettings<const Slices extends Readonly<Record<string, Settings>>>(
  slices: Slices,
): ComposedSettings<Slices>;
export function composeSettings(slices: Readonly<Record<string, Settings>>): Settings {
  const composed: Record<string, Setting> = {};
  const owners: Record<string, string> = {};
  for (const [owner, slice] of Object.entries(slices)) {
    for (const [key, setting] of Object.entries(slice)) {
      if (owners[key] !== undefined) {
        throw new ConfigError(
          `${owners[key]} and ${owner} both declare the setting ${key}. Give one of the two another name.`,
        );
      }
      owners[key] = owner;
      composed[key] = setting;
    }
  }
  return composed;
}

/**
 * Picks the values of one slice. A setting that was declared but never loaded would be `undefined`, and every comparison
 * with it would be false: a minimum length would then let every password pass.
 * @throws ConfigError for a setting without a value
 */
export function sliceValues<S extends Settings>(slice: S, owner: string, all: object): SettingsOf<S>;
export function sliceValues(slice: Settings, owner: string, all: object): Record<string, unknown> {
  const given = new Map<string, unknown>(Object.entries(all));
  const values: Record<string, unknown> = {};
  for (const [key, { schema }] of Object.entries(slice)) {
    const value = given.get(key);
    if (value === undefined && !isOptional(schema)) {
      throw new ConfigError(
        `${owner} declares the setting ${key}, but ${key} has no value. Include the feature when you load the settings.`,
      );
    }
    values[key] = value;
  }
  return values;
}

/** Tells whether a setting without a value becomes undefined, rather than its default or an error. */
function isOptional(schema: z.ZodType): boolean {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data === undefined;
}

/** Settings that cannot work. The message is a sentence that says how to fix them. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

export interface ConfigSources {
  /** Parsed content of the configuration file, and its name for messages. */
  file?: { name: string; values: Record<string, unknown> };
  env: Readonly<Record<string, string | undefined>>;
  flags: Readonly<Record<string, unknown>>;
}

export function envName(key: string): string {
  return `SALLYPORT_${key.toUpperCase()}`;
}

export function flagName(key: string): string {
  return `--${key.replaceAll("_", "-")}`;
}

/** @throws ConfigError with the source, the setting and the reason */
export function loadSettings<S extends Settings>(settings: S, sources: ConfigSources): SettingsOf<S> {
  const fileValues = sources.file?.values ?? {};
  for (const key of Object.keys(fileValues)) {
    if (!Object.hasOwn(settings, key)) {
      const near = nearest(key, Object.keys(settings));
      const hint = near ? ` Did you mean ${near}?` : " Remove it; `sallyport serve --help` lists every setting.";
      throw new ConfigError(`${sources.file?.name} has an unknown key: ${key}.${hint}`);
    }
  }
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(settings)) {
    const { value, source } = pick(key, setting, fileValues, sources);
    const parsed = setting.schema.safeParse(value);
    if (!parsed.success) {
      const reason = parsed.error.issues.map((issue) => issue.message).join("; ");
      throw new ConfigError(`${source} is not valid: ${reason}. ${setting.doc}`);
    }
    values[key] = parsed.data;
  }
  return values as SettingsOf<S>;
}

function pick(key: string, setting: Setting, file: Record<string, unknown>, sources: ConfigSources) {
  const env = envName(key);
  if (sources.flags[key] !== undefined) return { value: sources.flags[key], source: flagName(key) };
  if (setting.secret) {
    const path = sources.env[`${env}_FILE`];
    if (path !== undefined && path !== "") {
      if (sources.env[env]) throw new ConfigError(`${env} and ${env}_FILE are both set. Keep one of them.`);
      return { value: readSecretFile(`${env}_FILE`, path), source: `${env}_FILE` };
    }
  }
  // An empty variable counts as unset, because compose files and unit files switch a setting off that way.
  if (sources.env[env]) return { value: sources.env[env], source: env };
  if (file[key] !== undefined) return { value: file[key], source: `${sources.file?.name}: ${key}` };
  return { value: undefined, source: `${key} (${env} or ${flagName(key)})` };
}

function readSecretFile(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new ConfigError(`${name} names ${path}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function nearest(word: string, candidates: string[]): string | undefined {
  const close = candidates.filter(
    (candidate) => candidate.startsWith(word.slice(0, 5)) || distance(word, candidate) < 3,
  );
  return close.sort((a, b) => distance(word, a) - distance(word, b))[0];
}

/** Returns the Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Schemas that read both a native value and its text form. */
export const setting = {
  text: () => z.string().min(1),
  optionalText: () => z.string().min(1).optional(),
  integer: (min: number, max: number) =>
    z.preprocess(
      (value) => (typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value),
      z.number(`must be a whole number from ${min} to ${max}`).int().min(min).max(max),
    ),
  flag: () =>
    z.preprocess(
      (value) => (value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : value),
      z.boolean("must be true or false"),
    ),
  list: () =>
    z.preprocess(
      (value) =>
        typeof value === "string"
          ? value
              .split(",")
              .map((part) => part.trim())
              .filter((part) => part !== "")
          : value,
      z.array(z.string("must be a list, separated by commas")),
    ),
} as const;

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type AppSettings, settings as appSettings } from "../app.ts";
import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { ConfigError, defineSettings, loadSettings, setting } from "../core/config.ts";
import { type MasterKeys, parseMasterKeys } from "../crypto/master-key.ts";
import { openStorage } from "../storage/open.ts";
import type { Storage } from "../storage/storage.ts";
import { type CommandContext, CommandError, textFlag } from "./command.ts";

/** The master key comes from outside the data: a file, a systemd credential or the environment. */
export const masterKeySettings = defineSettings({
  master_key: {
    schema: setting.optionalText(),
    secret: true,
    doc: "The master key: one per line, v1:… each; `sallyport init --new-master-key FILE` makes one.",
  },
});
export const cliSettings = { ...appSettings, ...masterKeySettings };
export type CliSettings = AppSettings & { readonly master_key?: string | undefined };

const CREDENTIAL = "sallyport_master_key";

export interface Instance {
  settings: CliSettings;
  dataDirectory: string;
  storage: Storage;
  masterKeys: MasterKeys;
  clock: Clock;
}

export function dataDirectoryOf(context: CommandContext, fallback = "sallyport-data"): string {
  return resolve(textFlag(context, "data") ?? (context.env.SALLYPORT_DATA || fallback));
}

export function databaseFile(dataDirectory: string): string {
  return join(dataDirectory, "sallyport.db");
}

/** @throws ConfigError with the fix */
export function readSettings(context: CommandContext, dataDirectory: string, overrides: Record<string, unknown> = {}) {
  const flags: Record<string, unknown> = { ...overrides };
  for (const key of Object.keys(cliSettings)) {
    const value = context.flags[key.replaceAll("_", "-")];
    if (value !== undefined) flags[key] = value;
  }
  const file = readConfigFile(context, dataDirectory);
  return loadSettings(cliSettings, { ...(file ? { file } : {}), env: context.env, flags }) as CliSettings;
}

function readConfigFile(context: CommandContext, dataDirectory: string) {
  const named = textFlag(context, "config") ?? (context.env.SALLYPORT_CONFIG || undefined);
  const name = named ?? join(dataDirectory, "sallyport.toml");
  if (named === undefined && !existsSync(name)) return undefined;
  try {
    return { name, values: Bun.TOML.parse(readFileSync(name, "utf8")) as Record<string, unknown> };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError(
      code
        ? `The configuration file ${name} cannot be read (${code}).`
        : `${name} is not TOML: ${(error as Error).message}`,
    );
  }
}

/** @throws ConfigError when there is none, or it lies in the data directory */
export function readMasterKeys(context: CommandContext, settings: CliSettings, dataDirectory: string): MasterKeys {
  const file = context.env.SALLYPORT_MASTER_KEY_FILE;
  if (file && resolve(file).startsWith(`${dataDirectory}/`)) {
    throw new ConfigError(
      `The master key lies in the data directory (${file}): whoever copies the data has the key too. Keep it elsewhere.`,
    );
  }
  const text = settings.master_key ?? readCredential(context);
  if (text === undefined) {
    throw new ConfigError(
      "There is no master key. Set SALLYPORT_MASTER_KEY_FILE (or SALLYPORT_MASTER_KEY, or the systemd credential " +
        `${CREDENTIAL}); \`sallyport init --new-master-key FILE\` makes one.`,
    );
  }
  try {
    return parseMasterKeys(text);
  } catch (error) {
    throw new ConfigError((error as Error).message);
  }
}

function readCredential(context: CommandContext): string | undefined {
  const directory = context.env.CREDENTIALS_DIRECTORY;
  const path = directory ? join(directory, CREDENTIAL) : undefined;
  return path && existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}

/** Opens the data of an instance that `init` or `dev` has made. @throws ConfigError, CommandError */
export async function openInstance(context: CommandContext): Promise<Instance> {
  const dataDirectory = dataDirectoryOf(context);
  const settings = readSettings(context, dataDirectory);
  const masterKeys = readMasterKeys(context, settings, dataDirectory);
  if (settings.database_url === undefined && !existsSync(databaseFile(dataDirectory))) {
    throw new CommandError(
      `${dataDirectory} is no Sallyport data directory. Run \`sallyport init --data ${dataDirectory}\` first, or name another.`,
    );
  }
  return { settings, dataDirectory, masterKeys, clock: systemClock, storage: await openData(settings, dataDirectory) };
}

export async function openData(settings: CliSettings, dataDirectory: string): Promise<Storage> {
  if (settings.database_url !== undefined) {
    return openStorage({
      kind: "postgres",
      url: settings.database_url,
      driver: settings.database_driver,
      maxConnections: settings.database_connections,
    });
  }
  return openStorage({ kind: "sqlite", file: databaseFile(dataDirectory) });
}

/** Makes a directory that only its owner may enter. @throws CommandError when it cannot be made or written to */
export function makeDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`${directory} cannot be made (${code}). Give a directory below one that you may write to.`);
  }
  if (!statSync(directory).isDirectory()) throw new CommandError(`${directory} is no directory.`);
}

export function parentOf(path: string): string {
  return dirname(path);
}

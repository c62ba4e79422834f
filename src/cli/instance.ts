import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AppSettings, settings as appSettings } from "../app.ts";
import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { ConfigError, composeSettings, defineSettings, loadSettings, setting } from "../core/config.ts";
import { type MasterKeys, parseMasterKeys } from "../crypto/master-key.ts";
import { openStorage } from "../storage/open.ts";
import type { Storage } from "../storage/storage.ts";
import { type CommandContext, CommandError, textFlag } from "./command.ts";
import { databaseFile, liesIn, looseDirectory, requireWritable } from "./data-directory.ts";
import { devKeyFile } from "./dev/files.ts";
import { copyBeforeUpgrade, tellUpgrade } from "./upgrade.ts";

/** The master key comes from outside the data: from a file, a systemd credential or the environment. */
const masterKeySettings = defineSettings({
  master_key: {
    schema: setting.optionalText(),
    secret: true,
    doc: "The master keys, one per line as v1:…; `sallyport init --new-master-key FILE` creates one.",
  },
});
export const cliSettings = composeSettings({ application: appSettings, commands: masterKeySettings });
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

/** @throws ConfigError with the fix */
export function readSettings(context: CommandContext, dataDirectory: string, overrides: Record<string, unknown> = {}) {
  const flags: Record<string, unknown> = { ...overrides };
  for (const key of Object.keys(cliSettings)) {
    const value = context.flags[key.replaceAll("_", "-")];
    if (value !== undefined) flags[key] = value;
  }
  const file = readConfigFile(context, dataDirectory);
  if (file?.values.master_key !== undefined) {
    throw new ConfigError(
      `${file.name} holds a master key, but configuration files are often copied. Keep the key in its own file that ` +
        "SALLYPORT_MASTER_KEY_FILE names.",
    );
  }
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
        : `${name} is not valid TOML: ${(error as Error).message}`,
    );
  }
}

/** @throws ConfigError if the master key is missing or invalid, or lies in the data directory */
export function readMasterKeys(context: CommandContext, settings: CliSettings, dataDirectory: string): MasterKeys {
  const file = context.env.SALLYPORT_MASTER_KEY_FILE;
  if (file && liesIn(file, dataDirectory)) {
    throw new ConfigError(
      `The master key lies in the data directory (${file}). A copy of the data would include the key. Move the key elsewhere.`,
    );
  }
  const text = settings.master_key ?? readCredential(context);
  if (text === undefined) {
    const ofDev = devKeyFile(dataDirectory);
    throw new ConfigError(
      existsSync(ofDev)
        ? `There is no master key. \`sallyport dev\` made this data: set SALLYPORT_MASTER_KEY_FILE=${ofDev}.`
        : "There is no master key. Set SALLYPORT_MASTER_KEY_FILE (or SALLYPORT_MASTER_KEY, or the systemd credential " +
            `${CREDENTIAL}); \`sallyport init --new-master-key FILE\` creates one.`,
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
  if (!path || !existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new ConfigError(`The credential ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/**
 * Opens the data of an instance that `init` or `dev` created.
 * @param beforeOpening runs before a data directory is opened, and may refuse it
 * @throws ConfigError, CommandError
 */
export async function openInstance(
  context: CommandContext,
  beforeOpening: (dataDirectory: string) => void = () => undefined,
): Promise<Instance> {
  const dataDirectory = dataDirectoryOf(context);
  const settings = readSettings(context, dataDirectory);
  const masterKeys = readMasterKeys(context, settings, dataDirectory);
  if (settings.database_url === undefined) {
    requireDataDirectory(context, dataDirectory);
    beforeOpening(dataDirectory);
  }
  return {
    settings,
    dataDirectory,
    masterKeys,
    clock: systemClock,
    storage: await openData(settings, dataDirectory, context.warn),
  };
}

/** Warns if other users can read the directory. @throws CommandError unless `init` prepared it */
export function requireDataDirectory(context: CommandContext, dataDirectory: string): void {
  if (!existsSync(databaseFile(dataDirectory))) {
    throw new CommandError(
      `${dataDirectory} is not a Sallyport data directory. Run \`sallyport init --data ${dataDirectory}\` first, or name another.`,
    );
  }
  const loose = looseDirectory(dataDirectory);
  if (loose) context.warn(`Warning: ${loose}`);
}

/** @param tell prints a line about an upgrade of the database */
export async function openData(
  settings: CliSettings,
  dataDirectory: string,
  tell: (line: string) => void,
): Promise<Storage> {
  if (settings.database_url !== undefined) {
    return openStorage({
      kind: "postgres",
      url: settings.database_url,
      driver: settings.database_driver,
      maxConnections: settings.database_connections,
      beforeUpgrade: tellUpgrade(tell),
    });
  }
  requireWritable(dataDirectory);
  const beforeUpgrade = copyBeforeUpgrade(dataDirectory, tell);
  return openStorage({ kind: "sqlite", file: databaseFile(dataDirectory), beforeUpgrade });
}

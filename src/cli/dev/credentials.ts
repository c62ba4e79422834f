import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ConfigError } from "../../core/config.ts";
import { generateMasterKey, type MasterKeys, parseMasterKeys } from "../../crypto/master-key.ts";
import type { Identity } from "../../identity/identity.ts";
import { type FirstSetup, isSetUp, renewCredentials, setUp } from "../../identity/setup.ts";
import { type CommandContext, CommandError } from "../command.ts";
import { databaseFile, makeDataDirectory } from "../data-directory.ts";
import { credentialsFile, devKeyFile } from "./files.ts";

/** Reads the master key of `dev`, or creates one for a new directory. @throws ConfigError, CommandError */
export function developmentKey(context: CommandContext, dataDirectory: string): MasterKeys {
  const file = devKeyFile(dataDirectory);
  if (!existsSync(file)) {
    if (existsSync(databaseFile(dataDirectory))) {
      throw new ConfigError(
        `${file} is missing, and only it opens ${dataDirectory}. Put it back, or remove ${dataDirectory} to start over.`,
      );
    }
    makeDataDirectory(dirname(dataDirectory));
    writePrivate(file, `${generateMasterKey()}\n`);
    if (!context.flags.json) context.print(`Created a master key for development: ${file}`);
  }
  try {
    return parseMasterKeys(readFileSync(file, "utf8").trim());
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
}

/** Sets up new data. Keeps the result beside the key, so that every start can print a working example. */
export async function developmentCredentials(
  context: CommandContext,
  identity: Pick<Identity, "apiKeys" | "applications" | "clock" | "directory" | "keyring" | "storage">,
  dataDirectory: string,
): Promise<FirstSetup> {
  const file = credentialsFile(dataDirectory);
  const known = (await isSetUp(identity)) ? readCredentials(file) : await setUpForDevelopment(identity);
  const made = known ?? (await renewCredentials(identity));
  if (known === undefined && !context.flags.json)
    context.print(`Created a new secret key, because ${file} was missing.`);
  writePrivate(file, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

/** Allows every sign-in method that /try shows. A method that the command line removed stays removed. */
export function setUpForDevelopment(
  identity: Pick<Identity, "apiKeys" | "applications" | "clock" | "directory" | "keyring" | "storage">,
): Promise<FirstSetup> {
  return setUp(identity, { origins: [], signInMethods: ["password", "passkey", "magic_link", "email_code"] });
}

/** Returns undefined when the file is missing or was not written by `dev`. */
function readCredentials(file: string): FirstSetup | undefined {
  try {
    const read = JSON.parse(readFileSync(file, "utf8")) as Partial<FirstSetup>;
    const { tenantId, defaultApplicationId, applicationId, secretKey } = read;
    if (!tenantId || !defaultApplicationId || !applicationId || !secretKey) return undefined;
    return { tenantId, defaultApplicationId, applicationId, secretKey };
  } catch {
    return undefined;
  }
}

/** Replaces the file with a new one, so that nothing follows a symbolic link that an attacker put there. */
function writePrivate(file: string, text: string): void {
  const fresh = `${file}.${process.pid}`;
  try {
    writeFileSync(fresh, text, { mode: 0o600, flag: "wx" });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new CommandError(
      `${file} is not writable (${(error as NodeJS.ErrnoException).code}). Name another directory with --data.`,
    );
  }
}

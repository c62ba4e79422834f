import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { generateMasterKey } from "../crypto/master-key.ts";
import { type FirstSetup, isSetUp, setUp } from "../identity/setup.ts";
import {
  type Command,
  type CommandContext,
  CommandError,
  configFlag,
  dataFlag,
  jsonFlag,
  textFlag,
} from "./command.ts";
import {
  cliSettings,
  databaseFile,
  dataDirectoryOf,
  type Instance,
  makeDataDirectory,
  openData,
  readMasterKeys,
  readSettings,
} from "./instance.ts";
import { createIdentityOf } from "./open.ts";

export const init: Command = {
  name: "init",
  summary: "Prepare a data directory (or the PostgreSQL database) for production, and show what it begins with, once.",
  description:
    "Makes the default tenant, its two applications and one secret key. The master key comes from outside the data\n" +
    "directory; keep a copy of it where a backup of the data is not.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
    "new-master-key": {
      type: "string",
      value: "FILE",
      doc: "Make a master key in FILE, which must not exist yet and lie outside the data directory.",
    },
  },
  settings: cliSettings,
  examples: ["sallyport init --data /var/lib/sallyport --new-master-key /etc/sallyport/master.key"],
  run: async (context) => {
    const dataDirectory = dataDirectoryOf(context);
    const settings = readSettings(context, dataDirectory);
    const usesFile = settings.database_url === undefined;
    if (
      usesFile &&
      existsSync(dataDirectory) &&
      readdirSync(dataDirectory).some((name) => name.startsWith("sallyport.db"))
    ) {
      throw new CommandError(`${dataDirectory} is a Sallyport data directory already. Nothing was changed.`);
    }
    const masterKeys = newOrGivenMasterKey(context, settings, dataDirectory);
    if (usesFile) makeDataDirectory(dataDirectory);
    let instance: Instance | undefined;
    try {
      const storage = await openData(settings, dataDirectory);
      instance = { settings, dataDirectory, masterKeys, clock: systemClock, storage };
      const identity = await createIdentityOf(instance);
      if (await isSetUp(identity)) throw new CommandError("The database is set up already. Nothing was changed.");
      tell(context, dataDirectory, await setUp(identity, { origins: [] }));
      await storage.close();
      return 0;
    } catch (error) {
      await instance?.storage.close();
      if (usesFile && !(error instanceof CommandError)) removeHalfMade(dataDirectory);
      throw error;
    }
  },
};

function newOrGivenMasterKey(context: CommandContext, settings: Instance["settings"], dataDirectory: string) {
  const given = textFlag(context, "new-master-key");
  if (given === undefined) return readMasterKeys(context, settings, dataDirectory);
  const file = resolve(given);
  if (file.startsWith(`${dataDirectory}/`)) {
    throw new CommandError(
      "The master key must not lie in the data directory: a backup would hold both. Name another file.",
    );
  }
  try {
    writeFileSync(file, `${generateMasterKey()}\n`, { mode: 0o600, flag: "wx" });
    chmodSync(file, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" ? "is there already; to use it, set SALLYPORT_MASTER_KEY_FILE" : `cannot be made (${code})`;
    throw new CommandError(`${file} ${why}.`);
  }
  context.warn(`The master key is in ${file}. Without it the data cannot be opened: keep a copy in a safe place.`);
  return readMasterKeys(
    { ...context, env: { SALLYPORT_MASTER_KEY_FILE: file } },
    readSettings({ ...context, env: { SALLYPORT_MASTER_KEY_FILE: file } }, dataDirectory),
    dataDirectory,
  );
}

function removeHalfMade(dataDirectory: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${databaseFile(dataDirectory)}${suffix}`, { force: true });
}

function tell(context: CommandContext, dataDirectory: string, made: FirstSetup): void {
  if (context.flags.json) {
    context.print(
      JSON.stringify({
        data: dataDirectory,
        tenant_id: made.tenantId,
        default_application_id: made.defaultApplicationId,
        application_id: made.applicationId,
        secret_key: made.secretKey,
      }),
    );
    return;
  }
  context.print(`Prepared ${dataDirectory}. This is shown once:\n`);
  context.print(`  tenant               ${made.tenantId}`);
  context.print(`  default application  ${made.defaultApplicationId}  (RS256: plain REST clients in any language)`);
  context.print(`  your application     ${made.applicationId}  (EdDSA: give this id to the SDKs)`);
  context.print(`  secret key           ${made.secretKey}\n`);
  context.print(`Next: sallyport serve --data ${dataDirectory} --public-url https://login.example.com`);
}

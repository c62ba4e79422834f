import { existsSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { generateMasterKey, parseMasterKeys } from "../crypto/master-key.ts";
import { type FirstSetup, isSetUp, setUp } from "../identity/setup.ts";
import { isPrepared } from "../storage/inspect.ts";
import { syncDirectoryOf } from "../storage/sqlite-file.ts";
import {
  type Command,
  type CommandContext,
  CommandError,
  configFlag,
  dataFlag,
  jsonFlag,
  textFlag,
} from "./command.ts";
import { databaseFile, liesIn, looseDirectory, makeDataDirectory } from "./data-directory.ts";
import { exportLines, sdkEnvironment } from "./environment-lines.ts";
import { cliSettings, dataDirectoryOf, type Instance, openData, readMasterKeys, readSettings } from "./instance.ts";
import { nextLine } from "./next-line.ts";
import { createIdentityOf } from "./open.ts";

/** Shown if no public URL is set yet. */
const PLACEHOLDER_URL = "https://login.example.com";

export const init: Command = {
  name: "init",
  summary:
    "Prepare a data directory (or the PostgreSQL database) for production, and show its ids and its secret key once.",
  description:
    "Creates the default tenant, its two applications and one secret key. The master key comes from outside the data\n" +
    "directory. Keep a copy of it, and keep that copy apart from backups of the data.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
    "new-master-key": {
      type: "string",
      value: "FILE",
      doc: "Create a master key in FILE, a new file outside the data directory.",
    },
  },
  settings: cliSettings,
  examples: ["sallyport init --data /var/lib/sallyport --new-master-key /etc/sallyport/master.key"],
  run: async (context) => {
    const dataDirectory = dataDirectoryOf(context);
    const settings = readSettings(context, dataDirectory);
    const undo: (() => void)[] = [];
    try {
      if (settings.database_url === undefined) undo.push(...(await prepareDirectory(context, dataDirectory)));
      const masterKeys = newOrGivenMasterKey(context, settings, dataDirectory, undo);
      const instance = {
        settings,
        dataDirectory,
        masterKeys,
        clock: systemClock,
        storage: await openData(settings, dataDirectory, context.warn),
      };
      try {
        printMade(context, settings, dataDirectory, await setUpOnce(instance));
      } finally {
        await instance.storage.close();
      }
      return 0;
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    }
  },
};

async function setUpOnce(instance: Instance): Promise<FirstSetup> {
  const identity = await createIdentityOf(instance);
  if (await isSetUp(identity)) throw new CommandError("The database is set up already. Nothing was changed.");
  return setUp(identity, { origins: [] });
}

/** Takes over a database that an interrupted `init` left. @returns a function that removes the files created here */
async function prepareDirectory(context: CommandContext, dataDirectory: string): Promise<(() => void)[]> {
  const file = databaseFile(dataDirectory);
  if (await isPrepared(file)) {
    throw new CommandError(`${dataDirectory} is a Sallyport data directory already. Nothing was changed.`);
  }
  const removeDirectory = makeDataDirectory(dataDirectory);
  const loose = looseDirectory(dataDirectory);
  if (loose) context.warn(`Warning: ${loose}`);
  const names = ["", "-wal", "-shm"].map((suffix) => `${file}${suffix}`).filter((name) => !existsSync(name));
  return [
    removeDirectory,
    () => {
      for (const name of names) rmSync(name, { force: true });
    },
  ];
}

function newOrGivenMasterKey(
  context: CommandContext,
  settings: Instance["settings"],
  dataDirectory: string,
  undo: (() => void)[],
) {
  const given = textFlag(context, "new-master-key");
  if (given === undefined) return readMasterKeys(context, settings, dataDirectory);
  if (settings.master_key !== undefined) {
    throw new CommandError("The environment already holds a master key. Unset it, or omit --new-master-key.");
  }
  const file = resolve(given);
  if (liesIn(file, dataDirectory)) {
    throw new CommandError(
      "The master key must not lie in the data directory: a backup would hold both. Name another file.",
    );
  }
  const text = generateMasterKey();
  try {
    // The file reaches the disk before the key seals anything, so that a power cut cannot leave data without a key.
    writeFileSync(file, `${text}\n`, { mode: 0o600, flag: "wx", flush: true });
    syncDirectoryOf(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST"
        ? "exists already; to use it, set SALLYPORT_MASTER_KEY_FILE"
        : `cannot be created (${code}); name a file in a directory that you can write to`;
    throw new CommandError(`${file} ${why}.`);
  }
  undo.push(() => rmSync(file, { force: true }));
  return parseMasterKeys(text);
}

function printMade(
  context: CommandContext,
  settings: Instance["settings"],
  dataDirectory: string,
  made: FirstSetup,
): void {
  const usesFile = settings.database_url === undefined;
  if (context.flags.json) {
    context.print(
      JSON.stringify({
        data: usesFile ? dataDirectory : null,
        tenant_id: made.tenantId,
        default_application_id: made.defaultApplicationId,
        application_id: made.applicationId,
        secret_key: made.secretKey,
      }),
    );
    return;
  }
  const keyFile = textFlag(context, "new-master-key");
  if (keyFile !== undefined) {
    context.print(
      `The master key is in ${resolve(keyFile)}. Keep a copy in a safe place: without it the data is lost.`,
    );
  }
  const url = settings.public_url ?? PLACEHOLDER_URL;
  context.print(`Prepared ${usesFile ? dataDirectory : "the PostgreSQL database"}. This is shown once:

  tenant               ${made.tenantId}
  default application  ${made.defaultApplicationId}  (RS256, five times the work of EdDSA; requests that name no application mean it)
  second application   ${made.applicationId}  (EdDSA; for front ends that name it)
  secret key           ${made.secretKey}  (of the default application)

For your server, which the SDKs read:

${exportLines(sdkEnvironment(url, made))}

Next:

${nextLine(context, {
  masterKeyFile: keyFile === undefined ? undefined : resolve(keyFile),
  dataDirectory: usesFile ? dataDirectory : null,
  publicUrl: url,
})}`);
}

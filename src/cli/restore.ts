import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { systemClock, toWireTime } from "../core/clock.ts";
import { endEverySession, requireOpenable } from "../identity/restoration.ts";
import { isSetUp } from "../identity/setup.ts";
import { peek, verdictOn } from "../storage/inspect.ts";
import { schemaVersion } from "../storage/migrator.ts";
import { openStorage } from "../storage/open.ts";
import { createPrivateFile, syncDirectoryOf } from "../storage/sqlite-file.ts";
import {
  argument,
  type Command,
  type CommandContext,
  CommandError,
  configFlag,
  dataFlag,
  jsonFlag,
} from "./command.ts";
import { databaseFile, makeDataDirectory } from "./data-directory.ts";
import { dataDirectoryOf, type Instance, readMasterKeys, readSettings } from "./instance.ts";
import { createIdentityOf } from "./open.ts";

export const restore: Command = {
  name: "restore",
  arguments: "FILE",
  summary: "Check a backup from `sallyport backup`, and make a data directory from it.",
  description:
    "Checks that the file is whole, that this release knows its schema, and that the master key opens everything in it.\n" +
    "Never overwrites: the data directory must not hold a database. A backup misses later sign-outs, blocks and password\n" +
    "changes; --end-sessions ends every session, so that nothing that was spent or ended since becomes valid again.",
  flags: {
    "end-sessions": {
      type: "boolean",
      doc: "End every session, so that all users sign in again. Use this after a break-in.",
    },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: [
    "SALLYPORT_MASTER_KEY_FILE=/etc/sallyport/master.key sallyport restore --data /var/lib/sallyport \\",
    "  /backup/sallyport-2026-01-31.db",
  ],
  run: async (context) => {
    const dataDirectory = dataDirectoryOf(context);
    const settings = readSettings(context, dataDirectory);
    if (settings.database_url !== undefined) {
      throw new CommandError("Restore a PostgreSQL database with pg_restore, from a file of pg_dump.");
    }
    const masterKeys = readMasterKeys(context, settings, dataDirectory);
    const source = resolve(argument(context, 0, "FILE"));
    requireBackup(source);
    requireNoDatabase(dataDirectory);
    const removeDirectory = makeDataDirectory(dataDirectory);
    const copy = join(dataDirectory, `.restoring-${process.pid}.db`);
    try {
      createPrivateFile(copy);
      copyFileSync(source, copy);
      await requireWhole(copy, source);
      const storage = await openStorage({ kind: "sqlite", file: copy });
      const ended = await check(
        { settings, dataDirectory, storage, masterKeys, clock: systemClock },
        context.flags["end-sessions"] === true,
      ).finally(() => storage.close());
      const { newestAt } = await peek(copy);
      syncFile(copy);
      // A link fails if another process has created the file meanwhile; a rename would overwrite it.
      linkSync(copy, databaseFile(dataDirectory));
      syncDirectoryOf(copy);
      printRestored(context, { dataDirectory, newestAt, ended });
    } catch (error) {
      removeCopy(copy);
      removeDirectory();
      throw error;
    }
    removeCopy(copy);
    return 0;
  },
};

/** @throws CommandError unless it is a file without a log beside it: with a log it is in use and incomplete */
function requireBackup(file: string): void {
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new CommandError(`${file} is not a file. Name a file that \`sallyport backup\` has written.`);
  }
  const log = `${file}-wal`;
  if (existsSync(log) && statSync(log).size > 0) {
    throw new CommandError(
      `${file} has a log beside it (${log}): it is a database in use, and incomplete. Copy it with \`sallyport backup\`.`,
    );
  }
}

function requireNoDatabase(dataDirectory: string): void {
  if (!existsSync(dataDirectory) || !statSync(dataDirectory).isDirectory()) return;
  const found = readdirSync(dataDirectory).find((name) => name.startsWith("sallyport.db"));
  if (found) {
    throw new CommandError(
      `${join(dataDirectory, found)} exists already and was not changed. Name an empty directory with --data.`,
    );
  }
}

/** @throws CommandError for a damaged file, the database of another program or the schema of a later release */
async function requireWhole(copy: string, source: string): Promise<void> {
  let verdict: string;
  let version: number;
  try {
    verdict = await verdictOn(copy);
    version = (await peek(copy)).schemaVersion;
  } catch (error) {
    throw new CommandError(`${source} is not a database, or is damaged (${(error as { code?: unknown }).code}).`);
  }
  if (verdict !== "ok") throw new CommandError(`${source} is damaged: ${verdict}. Use another backup.`);
  if (version === 0) throw new CommandError(`${source} is not a backup of Sallyport.`);
  if (version > schemaVersion) {
    throw new CommandError(
      `${source} has schema ${version}, but this release knows only ${schemaVersion}. Use the release that wrote it, or a later one.`,
    );
  }
}

/** @returns the number of ended sessions @throws MasterKeyMismatch, CommandError */
async function check(instance: Instance, endSessions: boolean): Promise<number> {
  await requireOpenable(instance.storage, instance.masterKeys);
  const identity = await createIdentityOf(instance);
  if (!(await isSetUp(identity)))
    throw new CommandError("The backup holds no tenant, because it was made before `init` ended. Use a later backup.");
  return endSessions ? endEverySession(identity) : 0;
}

function syncFile(file: string): void {
  const descriptor = openSync(file, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function removeCopy(copy: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${copy}${suffix}`, { force: true });
}

function printRestored(
  context: CommandContext,
  done: { dataDirectory: string; newestAt: number | null; ended: number },
): void {
  const newest = done.newestAt === null ? null : toWireTime(done.newestAt);
  if (context.flags.json) {
    const { dataDirectory: data, ended } = done;
    context.print(
      JSON.stringify({ data, newest_entry_at: newest, schema_version: schemaVersion, sessions_ended: ended }),
    );
    return;
  }
  context.print(`Restored into ${done.dataDirectory}: whole, and opened by the master key. Newest entry: ${newest}.`);
  if (context.flags["end-sessions"]) context.print(`Ended ${done.ended} sessions.`);
  else context.print("Sessions that ended after the backup are valid again. --end-sessions ends all sessions.");
}

import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { copyDatabase, peek } from "../storage/inspect.ts";
import { argument, type Command, CommandError, configFlag, dataFlag, jsonFlag } from "./command.ts";
import { databaseFile } from "./data-directory.ts";
import { withDevData } from "./dev/find-data.ts";
import { dataDirectoryOf, readSettings, requireDataDirectory } from "./instance.ts";
import { noteBackup } from "./last-backup.ts";

export const backup: Command = {
  name: "backup",
  arguments: "FILE",
  summary: "Copy all data into FILE, which must not exist yet. The server can keep running.",
  description:
    "The copy holds every write that was answered before it began. It holds no master key and is useless without it: keep\n" +
    "the key in another place. For PostgreSQL, use pg_dump.",
  flags: { data: dataFlag, config: configFlag, json: jsonFlag },
  examples: ["sallyport backup --data /var/lib/sallyport /backup/sallyport-2026-01-31.db"],
  run: async (given) => {
    const context = withDevData(given);
    const dataDirectory = dataDirectoryOf(context);
    // A user without the master key makes backups too, so the settings are read only for the database.
    const settings = readSettings({ ...context, env: withoutMasterKey(context.env) }, dataDirectory);
    if (settings.database_url !== undefined) {
      throw new CommandError("Copy a PostgreSQL database with pg_dump, and restore it with pg_restore.");
    }
    requireDataDirectory(context, dataDirectory);
    const source = databaseFile(dataDirectory);
    const target = resolve(argument(context, 0, "FILE"));
    const { schemaVersion } = await peek(source);
    try {
      await copyDatabase(source, target);
    } catch (error) {
      throw describe(error, target);
    }
    noteBackup(dataDirectory, target);
    const { size } = statSync(target);
    if (context.flags.json) {
      context.print(JSON.stringify({ file: target, bytes: size, schema_version: schemaVersion }));
    } else {
      context.print(
        `${target}: ${size} bytes, schema ${schemaVersion}. Only the master key of this instance opens it.`,
      );
    }
    return 0;
  },
};

function withoutMasterKey(env: Readonly<Record<string, string | undefined>>) {
  return { ...env, SALLYPORT_MASTER_KEY: undefined, SALLYPORT_MASTER_KEY_FILE: undefined };
}

function describe(error: unknown, target: string): unknown {
  const code = String((error as { code?: unknown }).code);
  if (code === "EEXIST") return new CommandError(`${target} exists already and was not changed. Name a new file.`);
  if (code === "ENOENT") return new CommandError(`${dirname(target)} is not a directory. Create it first.`);
  if (/^(EACCES|EROFS|EPERM|ENOTDIR)$/.test(code)) return new CommandError(`${target} cannot be created (${code}).`);
  if (/^(SQLITE_FULL|ENOSPC)/.test(code))
    return new CommandError(`The disk has no room for ${target}. The partial copy was removed.`);
  return error;
}

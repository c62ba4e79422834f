import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { copyDatabase, peek } from "../storage/inspect.ts";
import { argument, type Command, CommandError, configFlag, dataFlag, jsonFlag } from "./command.ts";
import { databaseFile } from "./data-directory.ts";
import { withDevData } from "./dev/find-data.ts";
import { dataDirectoryOf, readSettings, requireDataDirectory } from "./instance.ts";

export const backup: Command = {
  name: "backup",
  arguments: "FILE",
  summary: "Copy all data into FILE, which must not exist yet. The server may go on running.",
  description:
    "The copy holds every write that was answered before it began. It holds no master key, and cannot be used without it:\n" +
    "keep the key in another place. With PostgreSQL, pg_dump is the tool.",
  flags: { data: dataFlag, config: configFlag, json: jsonFlag },
  examples: ["sallyport backup --data /var/lib/sallyport /backup/sallyport-2026-01-31.db"],
  run: async (given) => {
    const context = withDevData(given);
    const dataDirectory = dataDirectoryOf(context);
    // Backups are made by whoever has no master key too; the settings are read for the database alone.
    const settings = readSettings({ ...context, env: withoutMasterKey(context.env) }, dataDirectory);
    if (settings.database_url !== undefined) {
      throw new CommandError("A PostgreSQL database is copied with pg_dump, and read back with pg_restore.");
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
    const { size } = statSync(target);
    if (context.flags.json) {
      context.print(JSON.stringify({ file: target, bytes: size, schema_version: schemaVersion }));
    } else {
      context.print(
        `${target}: ${size} bytes, schema ${schemaVersion}. It opens with this instance's master key only.`,
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
  if (code === "EEXIST") return new CommandError(`${target} is there already and was left as it is. Name a new file.`);
  if (code === "ENOENT") return new CommandError(`${dirname(target)} is no directory. Make it first.`);
  if (/^(EACCES|EROFS|EPERM|ENOTDIR)$/.test(code)) return new CommandError(`${target} cannot be made (${code}).`);
  if (/^(SQLITE_FULL|ENOSPC)/.test(code))
    return new CommandError(`There is no room for ${target}. Nothing is left of it.`);
  return error;
}

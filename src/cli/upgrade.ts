import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock, toWireTime } from "../core/clock.ts";
import { copyDatabase } from "../storage/inspect.ts";
import type { BeforeUpgrade } from "../storage/migrator.ts";
import { CommandError } from "./command.ts";
import { databaseFile } from "./data-directory.ts";

/** The copies that stay in the data directory. */
const KEPT = 2;
const COPY = /^before-schema-\d+-[\dTZ-]+\.db$/;

/**
 * Copies a SQLite database before a release with a newer schema changes it, because an older release cannot open it afterwards.
 * The copy lies beside the database; the latest two stay. No copy, no upgrade.
 * @param tell prints one line for the operator
 */
export function copyBeforeUpgrade(dataDirectory: string, tell: (line: string) => void): BeforeUpgrade {
  return async (from, to) => {
    const time = toWireTime(systemClock.now()).replace(/[:.]/g, "-");
    const copy = join(dataDirectory, `before-schema-${to}-${time}.db`);
    try {
      await copyDatabase(databaseFile(dataDirectory), copy);
    } catch (error) {
      const cause = (error as { code?: string }).code ?? (error as Error).message;
      throw new CommandError(
        `The database has schema ${from}, and this release needs ${to}. The copy that comes before the upgrade cannot be ` +
          `written to ${copy} (${cause}), so nothing was changed. Free space for a second copy of the database.`,
      );
    }
    tell(`Upgrading the database from schema ${from} to ${to}. A copy from before is ${copy}.`);
    const copies = readdirSync(dataDirectory).filter((name) => COPY.test(name));
    copies.sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1));
    for (const old of copies.slice(KEPT)) rmSync(join(dataDirectory, old), { force: true });
  };
}

/** Says that a PostgreSQL database is upgraded. Its backups are the operator's, and Sallyport makes none. */
export function tellUpgrade(tell: (line: string) => void): BeforeUpgrade {
  return async (from, to) => {
    tell(`Upgrading the database from schema ${from} to ${to}. An older release cannot open it afterwards.`);
  };
}

function timeOf(copy: string): string {
  return copy.replace(/^before-schema-\d+-/, "");
}

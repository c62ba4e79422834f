import { existsSync, statfsSync, statSync } from "node:fs";
import { ConfigError, envName } from "../core/config.ts";
import type { MasterKeys } from "../crypto/master-key.ts";
import { sealedVersion } from "../crypto/master-key.ts";
import { opensCheck } from "../identity/keys/data-keys.ts";
import { sqliteCode } from "../storage/errors.ts";
import { damageIn, type Peek, peek, peekPostgres } from "../storage/inspect.ts";
import { schemaVersion } from "../storage/migrator.ts";
import { type CommandContext, CommandError } from "./command.ts";
import { databaseFile, looseDirectory } from "./data-directory.ts";
import { explain } from "./explain.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import { type CliSettings, cliSettings, readMasterKeys } from "./instance.ts";
import { checkBackup } from "./last-backup.ts";

/** The state of the database, for the checks that follow. */
export interface DataState {
  newestAt: number | null;
  keyIds: ReadonlySet<string>;
  origins: readonly string[];
  senders: readonly string[];
  /** null unless they open the data. */
  masterKeys: MasterKeys | null;
}

const MB = 1024 * 1024;
/** Variables with this prefix that belong to the SDKs and to the commands. */
const OTHER_VARIABLES =
  /^SALLYPORT_(DATA|CONFIG|URL|APP_ID|API_KEY|API_KEY_ID|API_KEY_SECRET|TENANT_URL|TENANT_ID|API_AUDIENCE|M2M_CLIENT_ID|M2M_CLIENT_SECRET)$/;

/** Warns of unknown variables, because a misspelt one has no effect. */
export function checkEnvironment(env: CommandContext["env"]): Finding[] {
  const known = new Set(
    Object.entries(cliSettings).flatMap(([key, setting]) =>
      "secret" in setting ? [envName(key), `${envName(key)}_FILE`] : [envName(key)],
    ),
  );
  return Object.keys(env)
    .filter((name) => name.startsWith("SALLYPORT_") && !known.has(name) && !OTHER_VARIABLES.test(name))
    .map((name) =>
      warning(
        "settings",
        `Sallyport does not know ${name}.`,
        "Unset it; `sallyport serve --help` lists the variables.",
      ),
    );
}

/** Checks the data directory, the disk, the database and the master key. Fills in `state`. */
export async function checkData(
  context: CommandContext,
  settings: CliSettings,
  dataDirectory: string,
  state: DataState,
): Promise<Finding[]> {
  const { database_url: url, database_driver: driver } = settings;
  if (url !== undefined) {
    return checkDatabase(context, settings, dataDirectory, state, () => peekPostgres(url, driver));
  }
  const file = databaseFile(dataDirectory);
  if (!existsSync(file)) {
    const fix = `Run \`sallyport init --data ${dataDirectory}\`, or name the right directory with --data.`;
    return [error("data directory", `${dataDirectory} is not a Sallyport data directory.`, fix)];
  }
  return [
    ...checkPermissions(dataDirectory, file),
    checkDisk(dataDirectory),
    ...(await checkDatabase(context, settings, dataDirectory, state, () => peek(file))),
    ...(await checkDamage(file)),
    checkBackup(dataDirectory),
  ];
}

function checkPermissions(dataDirectory: string, file: string): Finding[] {
  const [problem, fix] = looseDirectory(dataDirectory)?.split(/(?<=\.) /) ?? [];
  const findings = problem ? [warning("data directory", problem, fix ?? "")] : [];
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0) {
    findings.push(warning("data directory", `Other users can read ${file}.`, `Close it: chmod 600 ${file}`));
  }
  return findings.length > 0
    ? findings
    : [ok("data directory", `${dataDirectory} exists, and only its owner can enter it.`)];
}

function checkDisk(dataDirectory: string): Finding {
  const { bavail, bsize } = statfsSync(dataDirectory);
  const free = Math.floor((bavail * bsize) / MB);
  const fix = "Free some space: with a full disk, every sign-in and sign-up fails.";
  if (free < 64) return error("disk", `${free} MB are free.`, fix);
  if (free < 512) return warning("disk", `${free} MB are free.`, fix);
  return ok("disk", `${free} MB are free.`);
}

async function checkDatabase(
  context: CommandContext,
  settings: CliSettings,
  dataDirectory: string,
  state: DataState,
  look: () => Promise<Peek>,
): Promise<Finding[]> {
  let seen: Peek;
  try {
    seen = await look();
  } catch (thrown) {
    return [error("database", explain(thrown), "Fix this first. `sallyport restore` restores a backup.")];
  }
  state.newestAt = seen.newestAt;
  state.keyIds = seen.keyIds;
  state.origins = seen.origins;
  state.senders = seen.senders;
  const findings = [checkSchema(seen), checkMasterKey(context, settings, dataDirectory, seen, state)];
  const file = context.env.SALLYPORT_MASTER_KEY_FILE;
  if (file && existsSync(file) && (statSync(file).mode & 0o077) !== 0) {
    findings.push(warning("master key", `Other users can read ${file}.`, `Close it: chmod 600 ${file}`));
  }
  return findings;
}

/** A file that cannot be read at all is reported with the database. */
async function checkDamage(file: string): Promise<Finding[]> {
  const verdict = await damageIn(file).catch((thrown) =>
    sqliteCode(thrown) === "SQLITE_CORRUPT" ? explain(thrown) : "ok",
  );
  if (verdict === "ok") return [];
  const fix = "Stop the server, and restore a backup into an empty directory: sallyport restore";
  return [error("database", `The database is damaged: ${verdict}`, fix)];
}

function checkSchema(seen: Peek): Finding {
  if (seen.schemaVersion > schemaVersion) {
    const message = `The database has schema ${seen.schemaVersion}, but this release knows only ${schemaVersion}.`;
    return error("database", message, "Use the release that wrote it, or a later one, or restore an earlier backup.");
  }
  if (!seen.isSetUp) return error("database", "The database has no tenant yet.", "Run `sallyport init`.");
  if (seen.schemaVersion < schemaVersion) {
    const message = `The database has schema ${seen.schemaVersion}; \`sallyport serve\` migrates it to ${schemaVersion}.`;
    return warning("database", message, "Make a backup first: a migration cannot be undone.");
  }
  return ok("database", `It is set up and has schema ${seen.schemaVersion}.`);
}

function checkMasterKey(
  context: CommandContext,
  settings: CliSettings,
  dataDirectory: string,
  seen: Peek,
  state: DataState,
): Finding {
  try {
    const master = readMasterKeys(context, settings, dataDirectory);
    if (seen.masterKeyCheck !== null && opensCheck(master, seen.masterKeyCheck)) {
      state.masterKeys = master;
      const old = [...seen.seals].filter(([version]) => version !== master.currentVersion);
      const left = old.reduce((sum, [, seals]) => sum + seals, 0);
      if (left > 0 || sealedVersion(Buffer.from(seen.masterKeyCheck, "base64")) !== master.currentVersion) {
        const message = `${left} seals are of an older version of the master key than ${master.currentVersion}.`;
        return warning("master key", message, "Keep the older key, and run `sallyport keys reseal`.");
      }
      return ok("master key", `It opens the data (version ${master.currentVersion}, check ${master.fingerprint()}).`);
    }
    const fix = "Use the key from the time of `sallyport init`. Without it the data is lost.";
    return error("master key", "The master key does not open the data.", fix);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError || thrown instanceof CommandError)) throw thrown;
    return error("master key", thrown.message, "Pass it as you pass it to `serve`.");
  }
}

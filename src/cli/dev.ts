import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { generateMasterKey, type MasterKeys, parseMasterKeys } from "../crypto/master-key.ts";
import { type FirstSetup, isSetUp, renewCredentials, setUp } from "../identity/setup.ts";
import { Inbox } from "../mail/inbox.ts";
import { isLocal } from "../mail/smtp-url.ts";
import { openStorage } from "../storage/open.ts";
import { type Command, type CommandContext, CommandError, jsonFlag, textFlag } from "./command.ts";
import { databaseFile, makeDataDirectory } from "./data-directory.ts";
import { cliSettings, devKeyFile, type Instance, readSettings } from "./instance.ts";
import { createLog, listen } from "./listen.ts";
import { createIdentityOf } from "./open.ts";

/** Where front-end tool chains serve from on a developer's machine. */
const ORIGINS = ["http://localhost:3000", "http://localhost:5173"];

/** A developer's tests sign up hundreds of people from one address. Limits of one account stay as they are. */
const ROOMY = { limit_sign_up: "100000/1h", limit_anonymous: "100000/1h", limit_network: "100000/10m" };

export const dev: Command = {
  name: "dev",
  summary: "Try Sallyport on this machine: everything that it needs is made for you.",
  description:
    "Keeps its data in ./.sallyport/dev (or --data) and the generated master key beside it. Not for production: it refuses\n" +
    "a public URL that is not on this machine.",
  flags: {
    data: { type: "string", value: "DIR", doc: "Where the data is kept (default ./.sallyport/dev)." },
    ephemeral: { type: "boolean", doc: "Keep everything in memory, for as long as it runs." },
    json: { type: "boolean", doc: jsonFlag.doc },
  },
  settings: cliSettings,
  examples: ["sallyport dev", "sallyport dev --ephemeral --port 0 --json"],
  run: async (context) => {
    const dataDirectory = resolve(textFlag(context, "data") ?? ".sallyport/dev");
    const ephemeral = context.flags.ephemeral === true;
    const settings = readSettings({ ...context, env: lower(context.env) }, dataDirectory);
    refuseProduction(settings);
    const { instance, made } = ephemeral
      ? await openInMemory(settings, dataDirectory)
      : await openOnDisk(context, settings, dataDirectory);
    try {
      const listening = await listen(instance, createLog({ level: quiet(instance), fd: 2 }), new Inbox());
      const inboxUrl = settings.smtp_url === undefined ? `${listening.publicUrl}/dev/inbox` : null;
      tell(context, listening.publicUrl, inboxUrl, made, ephemeral ? null : dataDirectory);
      return await listening.done;
    } finally {
      await instance.storage.close();
    }
  },
};

/** Dev's own defaults lie under what the environment says. */
function lower(env: CommandContext["env"]): Record<string, string | undefined> {
  const defaults: Record<string, string> = {};
  for (const [key, value] of Object.entries(ROOMY)) defaults[`SALLYPORT_${key.toUpperCase()}`] = value;
  return { ...defaults, ...env };
}

/** Generated keys, roomy limits and open origins must never stand beside an address that the world reaches. */
function refuseProduction(settings: Instance["settings"]): void {
  if (settings.database_url !== undefined) {
    throw new ConfigError(
      "`sallyport dev` keeps its data in a file of its own. Unset SALLYPORT_DATABASE_URL, or use `sallyport init` and `sallyport serve`.",
    );
  }
  if (settings.public_url === undefined) return;
  const { hostname, protocol } = new URL(settings.public_url);
  if (isLocal(hostname) && protocol === "http:") return;
  throw new ConfigError(
    `\`sallyport dev\` is for this machine only and does not serve ${settings.public_url}. ` +
      "Use `sallyport init` and `sallyport serve`, or leave the public URL out.",
  );
}

interface Opened {
  instance: Instance;
  made: FirstSetup;
}

async function openInMemory(settings: Instance["settings"], dataDirectory: string): Promise<Opened> {
  const storage = await openStorage({ kind: "memory" });
  const masterKeys = parseMasterKeys(generateMasterKey());
  const instance = { settings, dataDirectory, storage, clock: systemClock, masterKeys };
  return { instance, made: await setUp(await createIdentityOf(instance), { origins: ORIGINS }) };
}

async function openOnDisk(
  context: CommandContext,
  settings: Instance["settings"],
  dataDirectory: string,
): Promise<Opened> {
  const masterKeys = developmentKey(context, dataDirectory);
  makeDataDirectory(dataDirectory);
  const storage = await openStorage({ kind: "sqlite", file: databaseFile(dataDirectory) });
  try {
    const instance = { settings, dataDirectory, storage, clock: systemClock, masterKeys };
    const identity = await createIdentityOf(instance);
    // Beside the key, and like it for this machine only: so that every start can show a working example.
    const file = `${dataDirectory}.credentials.json`;
    const known = (await isSetUp(identity)) ? readCredentials(file) : await setUp(identity, { origins: ORIGINS });
    const made = known ?? (await renewCredentials(identity));
    if (known === undefined && !context.flags.json) context.print(`Made a new secret key: ${file} was missing.`);
    writePrivate(file, `${JSON.stringify(made, null, 2)}\n`);
    return { instance, made };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function developmentKey(context: CommandContext, dataDirectory: string): MasterKeys {
  const file = devKeyFile(dataDirectory);
  if (!existsSync(file)) {
    if (existsSync(databaseFile(dataDirectory))) {
      throw new ConfigError(
        `${file} is missing, and without it ${dataDirectory} cannot be opened. Put it back, or remove ${dataDirectory} to start anew.`,
      );
    }
    makeDataDirectory(dirname(dataDirectory));
    writePrivate(file, `${generateMasterKey()}\n`);
    if (!context.flags.json) context.print(`Made a master key for development: ${file}`);
  }
  try {
    return parseMasterKeys(readFileSync(file, "utf8").trim());
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`);
  }
}

/** @returns undefined when the file is not there or is none that `dev` wrote */
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

/** A new file in place of the old one: a link that somebody laid there is not followed. */
function writePrivate(file: string, text: string): void {
  const fresh = `${file}.${process.pid}`;
  try {
    writeFileSync(fresh, text, { mode: 0o600, flag: "wx" });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new CommandError(
      `${file} cannot be written (${(error as NodeJS.ErrnoException).code}). Name another --data.`,
    );
  }
}

function tell(
  context: CommandContext,
  url: string,
  inboxUrl: string | null,
  made: FirstSetup,
  dataDirectory: string | null,
): void {
  if (context.flags.json) {
    context.print(
      JSON.stringify({
        url,
        tenant_id: made.tenantId,
        default_application_id: made.defaultApplicationId,
        application_id: made.applicationId,
        secret_key: made.secretKey,
        inbox_url: inboxUrl,
      }),
    );
    return;
  }
  const where = dataDirectory === null ? "in memory" : `in ${dataDirectory}`;
  context.print(`Sallyport runs at ${url}  (data ${where}; Ctrl-C stops it)

  welcome page         ${url}/
  mails that it sends  ${inboxUrl ?? "go to the mail server of smtp_url"}
  API description      ${url}/openapi.json
  public keys          ${url}/.well-known/jwks.json
  tenant               ${made.tenantId}
  default application  ${made.defaultApplicationId}  (RS256: plain REST clients in any language)
  your application     ${made.applicationId}  (EdDSA: give this id to the SDKs)
  secret key           ${made.secretKey}  (for your server only)

Sign somebody up:

  curl ${url}/v1/auth/register -H 'Content-Type: application/json' \\
    -d '{"email":"ada@example.com","password":"correct horse battery staple"}'

and see who is there:

  curl ${url}/v1/users -H 'Authorization: Bearer ${made.secretKey}'
${dataDirectory === null ? "" : changeIt(dataDirectory, made.applicationId)}`);
}

/** What `serve` tells of itself at `info`, dev has printed already. */
function quiet({ settings }: Instance): string {
  return settings.log_level === "info" ? "warn" : settings.log_level;
}

function changeIt(dataDirectory: string, applicationId: string): string {
  return `
Change it while it runs, in another terminal:

  SALLYPORT_MASTER_KEY_FILE=${devKeyFile(dataDirectory)} sallyport app set ${applicationId} \\
    --data ${dataDirectory} --sign-up verified --sign-in-method password,passkey,email_code
`;
}

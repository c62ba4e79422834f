import { resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { hostnameOf } from "../core/own-hosts.ts";
import { generateMasterKey, parseMasterKeys } from "../crypto/master-key.ts";
import type { AnsweredRequest } from "../http/request-log.ts";
import type { FirstSetup } from "../identity/setup.ts";
import { Inbox } from "../mail/inbox.ts";
import { isLocal } from "../mail/smtp-url.ts";
import { openStorage } from "../storage/open.ts";
import type { Storage } from "../storage/storage.ts";
import { type Command, type CommandContext, jsonFlag, textFlag } from "./command.ts";
import { databaseFile, makeDataDirectory } from "./data-directory.ts";
import { printStart } from "./dev/banner.ts";
import { developmentCredentials, developmentKey, setUpForDevelopment } from "./dev/credentials.ts";
import type { DevLog } from "./dev/dev-log.ts";
import { DEV_DIRECTORY } from "./dev/find-data.ts";
import { JsonLog } from "./dev/json-log.ts";
import { mendOf } from "./dev/mend.ts";
import { paintFor } from "./dev/paint.ts";
import { TerminalLog } from "./dev/terminal-log.ts";
import { cliSettings, type Instance, readSettings } from "./instance.ts";
import { createLog, createOutput, type DevParts, listen } from "./listen.ts";
import { createIdentityOf } from "./open.ts";
import { tellIgnored } from "./service-variables.ts";
import { type Serving, startServing } from "./serving.ts";
import { copyBeforeUpgrade } from "./upgrade.ts";

/** Loosens limits per address, because tests sign up hundreds of users from one address. Limits per account stay strict. */
const ROOMY = { limit_sign_up: "100000/1h", limit_anonymous: "100000/1h", limit_network: "100000/10m" };

export const dev: Command = {
  name: "dev",
  summary: "Try Sallyport on this machine. It creates everything that it needs.",
  description:
    "Keeps its data in ./.sallyport/dev (or --data) and the generated master key beside it. Not for production: it refuses\n" +
    "a public URL of another machine.",
  flags: {
    data: { type: "string", value: "DIR", doc: "Where to keep the data (default ./.sallyport/dev)." },
    ephemeral: { type: "boolean", doc: "Keep everything in memory, and lose it at the end." },
    json: { type: "boolean", doc: jsonFlag.doc },
  },
  settings: cliSettings,
  examples: ["sallyport dev", "sallyport dev --ephemeral --port 0 --json"],
  run: async (context) => {
    const dataDirectory = resolve(textFlag(context, "data") ?? DEV_DIRECTORY);
    const ephemeral = context.flags.ephemeral === true;
    const settings = readSettings({ ...context, env: lower(context.env) }, dataDirectory);
    refuseProduction(settings);
    const { instance, made, serving } = ephemeral
      ? await openInMemory(settings, dataDirectory)
      : await openOnDisk(context, settings, dataDirectory);
    const devLog = createDevLog(context, instance, ephemeral ? null : dataDirectory);
    try {
      tellIgnored(context, devLog.log);
      const listening = await listen(instance, devLog.log, partsOf(devLog, settings.log_level));
      const inboxUrl = settings.smtp_url === undefined ? `${listening.publicUrl}/dev/inbox` : null;
      const url = listening.publicUrl;
      serving?.listensAt(listening.url);
      printStart(context, { url, inboxUrl, made, dataDirectory: ephemeral ? null : dataDirectory });
      return await listening.done;
    } finally {
      devLog.flush();
      await instance.storage.close();
      serving?.release();
    }
  },
};

/** Adds the defaults of `dev`, which the environment overrides. */
function lower(env: CommandContext["env"]): Record<string, string | undefined> {
  const defaults: Record<string, string> = {};
  for (const [key, value] of Object.entries(ROOMY)) defaults[`SALLYPORT_${key.toUpperCase()}`] = value;
  return { ...defaults, ...env };
}

/** Refuses a public address, because generated keys, loose limits and open origins must never reach the world. */
function refuseProduction(settings: Instance["settings"]): void {
  if (settings.database_url !== undefined) {
    throw new ConfigError(
      "`sallyport dev` keeps its data in a file of its own. Unset SALLYPORT_DATABASE_URL, or use `sallyport init` and `sallyport serve`.",
    );
  }
  const foreign = [...settings.tenant_hosts.keys()].find((host) => !isLocal(hostnameOf(host)));
  if (foreign !== undefined) {
    throw new ConfigError(
      `\`sallyport dev\` is for this machine only and does not serve the tenant host ${foreign}. ` +
        "Use a name such as acme.localhost, or `sallyport init` and `sallyport serve`.",
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
  /** Absent in memory, which no other process shares. */
  serving?: Serving;
}

async function openInMemory(settings: Instance["settings"], dataDirectory: string): Promise<Opened> {
  const storage = await openStorage({ kind: "memory" });
  const masterKeys = parseMasterKeys(generateMasterKey());
  const instance = { settings, dataDirectory, storage, clock: systemClock, masterKeys };
  return { instance, made: await setUpForDevelopment(await createIdentityOf(instance)) };
}

async function openOnDisk(
  context: CommandContext,
  settings: Instance["settings"],
  dataDirectory: string,
): Promise<Opened> {
  const masterKeys = developmentKey(context, dataDirectory);
  makeDataDirectory(dataDirectory);
  const serving = startServing(dataDirectory, "dev");
  let storage: Storage | undefined;
  try {
    const beforeUpgrade = copyBeforeUpgrade(dataDirectory, context.warn);
    storage = await openStorage({ kind: "sqlite", file: databaseFile(dataDirectory), beforeUpgrade });
    const instance = { settings, dataDirectory, storage, clock: systemClock, masterKeys };
    const identity = await createIdentityOf(instance);
    return { instance, made: await developmentCredentials(context, identity, dataDirectory), serving };
  } catch (error) {
    await storage?.close();
    serving.release();
    throw error;
  }
}

function createDevLog(context: CommandContext, instance: Instance, dataDirectory: string | null): DevLog {
  const mend = (request: AnsweredRequest) => mendOf(context, dataDirectory, request);
  if (context.flags.json || !process.stderr.isTTY) {
    const output = createOutput(2);
    const log = createLog({ level: quiet(instance), output });
    return new JsonLog({ requests: createLog({ level: "info", output }), log, mendOf: mend });
  }
  return new TerminalLog({
    write: context.warn,
    paint: paintFor(true, context.env),
    now: () => instance.clock.now(),
    mendOf: mend,
    isVerbose: instance.settings.log_level === "debug",
  });
}

/** At the levels `warn` and `error`, omits request lines and keeps only the lines of the application. */
function partsOf(devLog: DevLog, level: string): DevParts {
  if (level !== "info" && level !== "debug") return { inbox: new Inbox() };
  const inbox = new Inbox((mail) => devLog.caught(mail));
  return { inbox, requestLog: devLog, onAudit: (act) => devLog.audited(act) };
}

/** Omits the `info` lines of `serve`, because the banner of `dev` says the same. */
function quiet({ settings }: Instance): string {
  return settings.log_level === "info" ? "warn" : settings.log_level;
}

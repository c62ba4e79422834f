import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { generateMasterKey, parseMasterKeys } from "../crypto/master-key.ts";
import type { FirstSetup } from "../identity/setup.ts";
import { isSetUp, setUp } from "../identity/setup.ts";
import { openStorage } from "../storage/open.ts";
import { type Command, type CommandContext, jsonFlag, textFlag } from "./command.ts";
import { cliSettings, databaseFile, type Instance, makeDataDirectory, readSettings } from "./instance.ts";
import { createLog, listen } from "./listen.ts";
import { createIdentityOf } from "./open.ts";

/** Where front-end tool chains serve from on a developer's machine. */
const ORIGINS = ["http://localhost:3000", "http://localhost:5173"];

/** A developer's tests sign up hundreds of people from one address. Limits of one account stay as they are. */
const ROOMY = { limit_sign_up: "100000/1h", limit_network: "100000/10m" };

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
    const settings = readSettings(context, dataDirectory);
    refuseProduction(settings);
    const roomy = readSettings({ ...context, env: { ...lower(context.env) } }, dataDirectory);
    const { instance, made } = await open(context, roomy, dataDirectory, ephemeral);
    const log = createLog({ level: "warn", fd: 2 });
    const listening = await listen(instance, log);
    tell(context, listening.publicUrl, made, ephemeral ? null : dataDirectory);
    return listening.done;
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
  if (settings.public_url === undefined) return;
  const { hostname, protocol } = new URL(settings.public_url);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname) || hostname.endsWith(".localhost");
  if (isLocal && protocol === "http:") return;
  throw new ConfigError(
    `\`sallyport dev\` is for this machine only and does not serve ${settings.public_url}. ` +
      "Use `sallyport init` and `sallyport serve`, or leave the public URL out.",
  );
}

async function open(
  context: CommandContext,
  settings: Instance["settings"],
  dataDirectory: string,
  ephemeral: boolean,
): Promise<{ instance: Instance; made: FirstSetup }> {
  const clock = systemClock;
  if (ephemeral) {
    const storage = await openStorage({ kind: "memory" });
    const instance = { settings, dataDirectory, storage, clock, masterKeys: parseMasterKeys(generateMasterKey()) };
    return { instance, made: await setUp(await createIdentityOf(instance), { origins: ORIGINS }) };
  }
  makeDataDirectory(dataDirectory);
  const keyFile = `${dataDirectory}.master-key`;
  if (!existsSync(keyFile)) {
    if (existsSync(databaseFile(dataDirectory))) {
      throw new ConfigError(
        `${keyFile} is missing, and without it ${dataDirectory} cannot be opened. Put it back, or remove ${dataDirectory} to start anew.`,
      );
    }
    writeFileSync(keyFile, `${generateMasterKey()}\n`, { mode: 0o600, flag: "wx" });
    if (!context.flags.json) context.print(`Made a master key for development: ${keyFile}`);
  }
  const masterKeys = parseMasterKeys(readFileSync(keyFile, "utf8").trim());
  const storage = await openStorage({ kind: "sqlite", file: databaseFile(dataDirectory) });
  const instance = { settings, dataDirectory, storage, clock, masterKeys };
  // Beside the key, and like it for this machine only: so that every start can show a working example.
  const setupFile = `${dataDirectory}.credentials.json`;
  const identity = await createIdentityOf(instance);
  if (await isSetUp(identity)) {
    return { instance, made: JSON.parse(readFileSync(setupFile, "utf8")) as FirstSetup };
  }
  const made = await setUp(identity, { origins: ORIGINS });
  writeFileSync(setupFile, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  return { instance, made };
}

function tell(context: CommandContext, url: string, made: FirstSetup, dataDirectory: string | null): void {
  if (context.flags.json) {
    context.print(
      JSON.stringify({
        url,
        tenant_id: made.tenantId,
        default_application_id: made.defaultApplicationId,
        application_id: made.applicationId,
        secret_key: made.secretKey,
      }),
    );
    return;
  }
  const where = dataDirectory === null ? "in memory" : `in ${join(dataDirectory)}`;
  context.print(`Sallyport runs at ${url}  (data ${where}; Ctrl-C stops it)

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
`);
}

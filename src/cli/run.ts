import { appCreate } from "./app-create.ts";
import { appGrant } from "./app-grant.ts";
import { appList } from "./app-list.ts";
import { appSecretCreate } from "./app-secret-create.ts";
import { appSecretList } from "./app-secret-list.ts";
import { appSecretRevoke } from "./app-secret-revoke.ts";
import { appSet } from "./app-set.ts";
import { appShow } from "./app-show.ts";
import { backup } from "./backup.ts";
import { type Command, helpOf, parseFlags, table, UsageError } from "./command.ts";
import { dev } from "./dev.ts";
import { doctor } from "./doctor.ts";
import { explain } from "./explain.ts";
import { init } from "./init.ts";
import { asStarted } from "./invocation.ts";
import { keysList } from "./keys-list.ts";
import { keysReseal } from "./keys-reseal.ts";
import { keysRotate } from "./keys-rotate.ts";
import { keysWithdraw } from "./keys-withdraw.ts";
import { mailList } from "./mail-list.ts";
import { mailRetry } from "./mail-retry.ts";
import { mailTemplateList } from "./mail-template-list.ts";
import { mailTemplateReset } from "./mail-template-reset.ts";
import { mailTemplateSet } from "./mail-template-set.ts";
import { mailTemplateShow } from "./mail-template-show.ts";
import { mailTest } from "./mail-test.ts";
import { restore } from "./restore.ts";
import { serve } from "./serve.ts";
import { serviceVariables, without } from "./service-variables.ts";
import { tenantCreate } from "./tenant-create.ts";
import { tenantList } from "./tenant-list.ts";
import { tenantSet } from "./tenant-set.ts";
import { tenantShow } from "./tenant-show.ts";
import { versionCommand } from "./version.ts";

const commands: readonly Command[] = [
  dev,
  init,
  serve,
  tenantCreate,
  tenantList,
  tenantShow,
  tenantSet,
  appCreate,
  appList,
  appShow,
  appSet,
  appSecretCreate,
  appSecretList,
  appSecretRevoke,
  appGrant,
  keysList,
  keysReseal,
  keysRotate,
  keysWithdraw,
  mailTest,
  mailList,
  mailRetry,
  mailTemplateList,
  mailTemplateShow,
  mailTemplateSet,
  mailTemplateReset,
  backup,
  restore,
  doctor,
  versionCommand,
];

/**
 * Runs the command that the arguments name.
 * @param command the words that start this program again; every command in a message or a help text begins with them
 * @returns the exit code: 0, 1 after a failure, 2 for wrong arguments
 */
export async function run(given: string[], env: Record<string, string | undefined>, command: string): Promise<number> {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const warn = (line: string) => void process.stderr.write(`${asStarted(line, command)}\n`);
  const printHelp = (text: string) => print(asStarted(text, command));
  const args = normalise(given);
  try {
    const found = find(args);
    if (!found) return overview(args, printHelp);
    const { flags, positionals } = parseFlags(found, args.slice(found.name.split(" ").length));
    if (flags.help) {
      printHelp(helpOf(found));
      return 0;
    }
    const foreignVariables = serviceVariables(env);
    const ours = without(env, foreignVariables);
    return await found.run({ command, flags, positionals, env: ours, foreignVariables, print, warn });
  } catch (error) {
    warn(explain(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Accepts the forms that people try first: `--version`, `-h`, `help app set`. */
function normalise(args: string[]): string[] {
  const [first, ...rest] = args;
  if (first === "--version" || first === "-v" || first === "-V") return ["version", ...rest];
  if (first === "help" || first === "--help" || first === "-h") return rest.length > 0 ? [...rest, "--help"] : [];
  return args;
}

function find(args: string[]): Command | undefined {
  for (const words of [3, 2, 1]) {
    const called = args.slice(0, words).join(" ");
    const found = commands.find(({ name }) => name === called);
    if (found) return found;
  }
  return undefined;
}

/** @throws UsageError for an unknown command */
function overview(args: string[], print: (line: string) => void): number {
  const words = args.filter((arg) => !arg.startsWith("-"));
  const group = commands.filter(({ name }) => name.startsWith(`${words[0]} `));
  const shown = group.length > 0 ? group : commands;
  const list = table(shown.map(({ name, arguments: takes, summary }) => [takes ? `${name} ${takes}` : name, summary]));
  const asked = words.length === 0 || (words.length === 1 && args.some((arg) => arg === "--help" || arg === "-h"));
  if (asked && (words.length === 0 || group.length > 0)) {
    print(["Sallyport: an authentication appliance in one file.", "", ...list].join("\n"));
    print("\n`sallyport COMMAND --help` shows more.");
    return 0;
  }
  const called = words.slice(0, 2).join(" ");
  throw new UsageError(`There is no command \`${called}\`. The commands are:\n\n${list.join("\n")}`);
}

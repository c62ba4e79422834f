import { systemClock } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { exposureAdvice } from "./advice.ts";
import { type Command, type CommandContext, CommandError, configFlag, dataFlag, listFlag } from "./command.ts";
import { withDevData } from "./dev/find-data.ts";
import { checkData, checkEnvironment, type DataState } from "./doctor-data.ts";
import { checkMail } from "./doctor-mail.ts";
import { checkClock, checkNetwork } from "./doctor-network.ts";
import { checkOrigins } from "./doctor-origins.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import { cliSettings, dataDirectoryOf, readSettings } from "./instance.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Look for what is wrong or unwise about this instance, and say how to mend it. Changes nothing.",
  description:
    "Looks at the settings, the data directory, the master key, the database, the disk, the clock, the port, the public URL, the\n" +
    "mail server (without sending anything) and what DNS says of the domains that mails come from (SPF, DKIM, DMARC).\n" +
    "Give it what `serve` gets. The exit code is 1 when there is an error; warnings do not count.",
  flags: {
    data: dataFlag,
    config: configFlag,
    "dns-server": {
      type: "string",
      multiple: true,
      value: "ADDRESS",
      doc: "Ask this name server, such as 1.1.1.1, in place of the machine's own.",
    },
    json: { type: "boolean", doc: 'One line of JSON: { "ok", "findings": [{ check, level, message, fix }] }.' },
  },
  settings: cliSettings,
  examples: ["sallyport doctor --data /var/lib/sallyport --public-url https://login.example.com"],
  run: async (context) => {
    const findings = await examine(withDevData(context));
    const failed = findings.some(({ level }) => level === "error");
    if (context.flags.json) context.print(JSON.stringify({ ok: !failed, findings }));
    else for (const finding of findings) context.print(lineOf(finding));
    return failed ? 1 : 0;
  },
};

async function examine(context: CommandContext): Promise<Finding[]> {
  const dataDirectory = dataDirectoryOf(context);
  let settings: ReturnType<typeof readSettings>;
  try {
    settings = readSettings(context, dataDirectory);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError || thrown instanceof CommandError)) throw thrown;
    return [error("settings", thrown.message, "Mend the setting; nothing else was looked at.")];
  }
  const findings = [ok("settings", "Every setting can be read."), ...checkEnvironment(context.env)];
  const state: DataState = { newestAt: null, keyIds: new Set(), origins: [], senders: [] };
  findings.push(...(await checkData(context, settings, dataDirectory, state)));
  findings.push(checkClock(systemClock.now(), state.newestAt));
  findings.push(...(await checkNetwork(settings, state.keyIds)));
  if (settings.public_url !== undefined) findings.push(...checkOrigins(settings.public_url, state.origins));
  findings.push(...(await checkMail(settings, state.senders, listFlag(context, "dns-server") ?? [])));
  for (const { problem, fix } of exposureAdvice(settings)) findings.push(warning("exposure", problem, fix));
  return findings;
}

function lineOf({ check, level, message, fix }: Finding): string {
  const line = `${level.padEnd(7)}  ${check.padEnd(14)}  ${message}`;
  return fix === null ? line : `${line}\n${" ".repeat(25)}-> ${fix}`;
}

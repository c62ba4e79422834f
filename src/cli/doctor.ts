import { systemClock } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import { exposureAdvice } from "./advice.ts";
import { type Command, type CommandContext, CommandError, configFlag, dataFlag, listFlag } from "./command.ts";
import { withDevData } from "./dev/find-data.ts";
import { checkData, checkEnvironment, type DataState } from "./doctor-data.ts";
import { checkMail } from "./doctor-mail.ts";
import { checkClock, checkNetwork } from "./doctor-network.ts";
import { checkOrigins } from "./doctor-origins.ts";
import { checkRunning } from "./doctor-server.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import { cliSettings, dataDirectoryOf, readSettings } from "./instance.ts";
import { findIgnored } from "./service-variables.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "Find problems and risks of this instance, and say how to fix them. Changes nothing.",
  description:
    "Checks the settings, the data directory, the master key, the database, the disk, the clock, the port, the public\n" +
    "URL, the mail server (without sending a mail) and the DNS records of the sender domains (SPF, DKIM, DMARC). Asks the\n" +
    "running server for its settings, a write, its file descriptors, the client's address and its event stream. Use the\n" +
    "settings that `serve` gets. The exit code is 1 if there is an error; warnings do not count.",
  flags: {
    data: dataFlag,
    config: configFlag,
    "dns-server": {
      type: "string",
      multiple: true,
      value: "ADDRESS",
      doc: "Use this name server, such as 1.1.1.1, instead of the machine's own.",
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
    return [error("settings", thrown.message, "Fix the setting first. Nothing else was checked.")];
  }
  const findings = [
    ok("settings", "Every setting is valid."),
    ...checkEnvironment(context.env),
    ...findIgnored(context),
  ];
  const state: DataState = { newestAt: null, keyIds: new Set(), origins: [], senders: [], masterKeys: null };
  findings.push(...(await checkData(context, settings, dataDirectory, state)));
  findings.push(checkClock(systemClock.now(), state.newestAt));
  const network = await checkNetwork(settings, state.keyIds);
  findings.push(...network.findings);
  findings.push(...(await checkRunning(settings, state.masterKeys, network.reach)));
  if (settings.public_url !== undefined) findings.push(...checkOrigins(settings.public_url, state.origins));
  findings.push(...(await checkMail(settings, state.senders, listFlag(context, "dns-server") ?? [])));
  for (const { problem, fix } of exposureAdvice(settings)) findings.push(warning("exposure", problem, fix));
  return findings;
}

function lineOf({ check, level, message, fix }: Finding): string {
  const line = `${level.padEnd(7)}  ${check.padEnd(14)}  ${message}`;
  return fix === null ? line : `${line}\n${" ".repeat(25)}-> ${fix}`;
}

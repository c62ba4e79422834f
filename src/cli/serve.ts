import { MINUTE } from "../core/clock.ts";
import { commit, version } from "../core/version.ts";
import { newestEntryAt } from "../identity/audit/public.ts";
import { exposureAdvice } from "./advice.ts";
import { type Command, configFlag, dataFlag } from "./command.ts";
import { cliSettings, type Instance, openInstance } from "./instance.ts";
import { createLog, createOutput, listen } from "./listen.ts";
import { createIdentityOf, requireSetUp } from "./open.ts";
import { tellIgnored } from "./service-variables.ts";
import { type Serving, startServing } from "./serving.ts";
import { clockWatch, warnOfFewDescriptors, warnOfOldClock } from "./warnings.ts";

export const serve: Command = {
  name: "serve",
  summary: "Run the appliance on a data directory that `sallyport init` prepared.",
  description:
    "Logs are JSON lines on standard output. SIGTERM lets open requests end, and stops.\n" +
    "Settings: defaults < file < SALLYPORT_* variables < flags.",
  flags: { data: dataFlag, config: configFlag },
  settings: cliSettings,
  examples: [
    "SALLYPORT_MASTER_KEY_FILE=/etc/sallyport/master.key sallyport serve --data /var/lib/sallyport \\",
    "  --public-url https://login.example.com",
  ],
  run: async (context) => {
    let serving: Serving | undefined;
    let instance: Instance | undefined;
    let watching: ReturnType<typeof setInterval> | undefined;
    try {
      instance = await openInstance(context, (dataDirectory) => {
        serving = startServing(dataDirectory, "serve");
      });
      await requireSetUp(await createIdentityOf(instance));
      const output = createOutput(1);
      const log = createLog({ level: instance.settings.log_level, output });
      tellIgnored(context, log);
      const listening = await listen(instance, log);
      listening.app.metrics.counter("sallyport_log_lines_dropped_total", "Log lines dropped.", () => output.dropped);
      serving?.listensAt(listening.url);
      warnOfFewDescriptors(log);
      warnOfOldClock(log, instance.clock, await newestEntryAt(instance.storage.read));
      watching = setInterval(
        clockWatch(log, instance.clock, () => performance.now()),
        MINUTE,
      );
      for (const { problem, fix } of exposureAdvice(instance.settings)) log.warn({}, `${problem} ${fix}`);
      log.info({ url: listening.url, public_url: listening.publicUrl, version, commit }, "Sallyport is ready.");
      return await listening.done;
    } finally {
      clearInterval(watching);
      await instance?.storage.close();
      serving?.release();
    }
  },
};

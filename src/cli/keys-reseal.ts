import { SealError } from "../crypto/master-key.ts";
import { reseal } from "../identity/resealing.ts";
import { type Command, CommandError, configFlag, dataFlag } from "./command.ts";
import { withIdentity } from "./open.ts";

export const keysReseal: Command = {
  name: "keys reseal",
  summary: "Seal everything again under a new version of the master key.",
  description:
    "Add the new version to the master key as a line v2:…, keep the older line, and restart every server. Then run this\n" +
    "command beside the running servers. It may be stopped and run again at any time. When `sallyport doctor` finds no older\n" +
    "seal, remove the older line. Backups from before still need it.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: "One line of JSON: { version, resealed }." },
  },
  run: (context) =>
    withIdentity(context, async ({ storage, clock }, { masterKeys }) => {
      try {
        const progress = (done: number) => context.warn(`${done} sealed again`);
        const resealed = await reseal(storage, masterKeys, clock.now(), progress);
        const version = masterKeys.currentVersion;
        if (context.flags.json) context.print(JSON.stringify({ version, resealed }));
        else
          context.print(`Everything is sealed under version ${version} of the master key (${resealed} sealed again).`);
        return 0;
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        throw new CommandError(`${error.message} Nothing is lost: add that version, and run this command again.`);
      }
    }),
};

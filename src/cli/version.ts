import { commit, version } from "../core/version.ts";
import { schemaVersion } from "../storage/migrator.ts";
import { type Command, jsonFlag } from "./command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Show the version of Sallyport.",
  flags: { json: jsonFlag },
  run: async (context) => {
    if (context.flags.json) {
      context.print(JSON.stringify({ version, commit, schema_version: schemaVersion, bun: Bun.version }));
    } else {
      context.print(`sallyport ${version} (${commit}; schema ${schemaVersion}; Bun ${Bun.version})`);
    }
    return 0;
  },
};

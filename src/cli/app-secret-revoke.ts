import { isUuid } from "../core/ids.ts";
import { revokeClientSecret } from "../identity/clients/administration.ts";
import { argument, type Command, configFlag, dataFlag, UsageError } from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed } from "./reference.ts";

export const appSecretRevoke: Command = {
  name: "app secret revoke",
  arguments: "APP SECRET_ID",
  summary: "Revoke a client secret at once.",
  description: "The tokens that it obtained end with it. Those of the other secret go on.",
  flags: { data: dataFlag, config: configFlag },
  run: (context) => {
    const id = argument(context, 1, "SECRET_ID").toLowerCase();
    if (!isUuid(id)) throw new UsageError("SECRET_ID must be an id from `sallyport app secret list`.");
    return withIdentity(context, async ({ storage, clock }) => {
      const application = await applicationNamed(storage.read, argument(context, 0, "APP"));
      await storage.write((tx) => revokeClientSecret(tx, clock.now(), application, id));
      context.print(`Revoked ${id}.`);
      return 0;
    });
  },
};

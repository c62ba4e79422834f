import { createClientSecret } from "../identity/clients/administration.ts";
import { argument, type Command, configFlag, dataFlag, jsonFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed } from "./reference.ts";

export const appSecretCreate: Command = {
  name: "app secret create",
  arguments: "APP",
  summary: "Create a client secret for an application of type m2m, and show it once.",
  description:
    "An application can have two secrets. To rotate, create the second one, deploy it, and revoke the first one.\n" +
    "`sallyport app grant` sets what the client may request.",
  flags: { data: dataFlag, config: configFlag, json: jsonFlag },
  examples: ["sallyport app secret create app_01HWY55QBEFY09M6SC7N75YR3H"],
  run: (context) =>
    withIdentity(context, async ({ storage, clock }) => {
      const application = await applicationNamed(storage.read, argument(context, 0, "APP"));
      const made = await storage.write((tx) => createClientSecret(tx, clock.now(), application));
      if (context.flags.json) {
        context.print(JSON.stringify({ id: made.id, client_id: application.id, client_secret: made.secret }));
        return 0;
      }
      context.print(`client id      ${application.id}`);
      context.print(`secret id      ${made.id}`);
      context.print(`client secret  ${made.secret}`);
      context.print("\nThe secret is shown only once.");
      return 0;
    }),
};

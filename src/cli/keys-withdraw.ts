import { argument, type Command, CommandError, configFlag, dataFlag } from "./command.ts";
import { withIdentity } from "./open.ts";

export const keysWithdraw: Command = {
  name: "keys withdraw",
  arguments: "KID",
  summary: "Refuse every token of a signing key that may have leaked.",
  description:
    "The key leaves the JWKS, the server refuses its tokens within three seconds, and verifiers that follow the revocations\n" +
    "do at once. Others do as soon as they fetch the JWKS again. Another key signs from now on. Sessions go on: applications\n" +
    "refresh their access tokens. A withdrawal cannot be undone.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: "One line of JSON: { kid, signing_kid }." },
  },
  examples: ["sallyport keys withdraw 01a3c7f5-3b72-7b1e-9d4a-0f3b5d6c7e8f"],
  run: (context) =>
    withIdentity(context, async ({ keyring }) => {
      const kid = argument(context, 0, "KID");
      const signing = await keyring.withdraw(kid);
      if (signing === null) {
        throw new CommandError(
          `${kid} is not a published key, or was withdrawn before. \`sallyport keys list\` lists them.`,
        );
      }
      if (context.flags.json) context.print(JSON.stringify({ kid, signing_kid: signing }));
      else context.print(`${kid} is withdrawn, and ${signing} signs now.`);
      return 0;
    }),
};

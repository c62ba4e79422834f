import { toWireTime } from "../core/clock.ts";
import { findMail, reviveMails } from "../mail/store.ts";
import type { Executor } from "../storage/storage.ts";
import { type Command, CommandError, configFlag, dataFlag, jsonFlag, UsageError } from "./command.ts";
import { withIdentity } from "./open.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const mailRetry: Command = {
  name: "mail retry",
  arguments: "[ID]",
  summary: "Send failed mails again. A running server does so within seconds.",
  description: "Expired mails are never sent again, because their links are dead.",
  flags: {
    "all-dead": { type: "boolean", doc: "Retry every failed mail." },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: ["sallyport mail retry 018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f", "sallyport mail retry --all-dead"],
  run: (context) => {
    const [given] = context.positionals;
    const all = context.flags["all-dead"] === true;
    if ((given === undefined) === !all) throw new UsageError("Use either the ID of a mail or --all-dead.");
    return withIdentity(context, async ({ storage, clock }) => {
      const id = given?.toLowerCase() ?? null;
      if (id !== null && !UUID.test(id)) {
        throw new CommandError(`${given} is not the id of a mail. \`sallyport mail list --dead\` shows the ids.`);
      }
      const revived = await storage.write((tx) => reviveMails(tx, clock.now(), id));
      if (id !== null && revived.length === 0) await explainRefusal(storage.read, id, clock.now());
      if (context.flags.json) context.print(JSON.stringify({ retried: revived }));
      else context.print(revived.length === 1 ? "1 mail is sent again." : `${revived.length} mails are sent again.`);
      return 0;
    });
  },
};

/** @throws CommandError always */
async function explainRefusal(at: Executor, id: string, now: number): Promise<never> {
  const row = await findMail(at, id);
  if (!row) throw new CommandError(`There is no mail ${id}. \`sallyport mail list --dead\` shows the failed mails.`);
  if (row.sent_at !== null) throw new CommandError(`The mail was sent at ${toWireTime(row.sent_at)}.`);
  if (row.expires_at <= now) {
    throw new CommandError(`The mail expired at ${toWireTime(row.expires_at)}. The user must request a new one.`);
  }
  throw new CommandError(
    `The mail is waiting already. The next attempt is at ${toWireTime(row.next_attempt_at ?? now)}.`,
  );
}

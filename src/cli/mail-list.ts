import { toWireTime } from "../core/clock.ts";
import { listTenants } from "../identity/tenants/public.ts";
import { openMail, type Sealer } from "../mail/outbox.ts";
import { openMails } from "../mail/store.ts";
import type { OutboxMailsTable } from "../storage/schema-people.ts";
import { columns } from "./columns.ts";
import { type Command, configFlag, dataFlag } from "./command.ts";
import { withIdentity } from "./open.ts";

/** The maximum number of mails to show. */
const SHOWN = 500;

export const mailList: Command = {
  name: "mail list",
  summary: "List waiting and failed mails, newest first.",
  description:
    "A mail is tried again until it expires: at once, after 10 s, 30 s, 2, 5, 15 and 30 minutes, then every hour. It fails\n" +
    `for good when the server refuses it for good or it expires. Shows at most ${SHOWN}. A failed mail is kept for 30 days.`,
  flags: {
    dead: { type: "boolean", doc: "Show only failed mails." },
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  run: (context) =>
    withIdentity(context, async ({ storage, dataKeys }) => {
      const tenants = new Map((await listTenants(storage.read)).map((row) => [row.id, row.slug]));
      const sealer = dataKeys.box("mail");
      const mails = await openMails(storage.read, context.flags.dead ? "dead" : "all", SHOWN);
      const rows = mails.map((row) => ({
        id: row.id,
        state: row.dead_at === null ? "waiting" : "dead",
        tenant_slug: tenants.get(row.tenant_id) ?? null,
        template: row.template,
        to: recipientOf(sealer, row),
        user_id: row.user_id,
        attempts: row.attempts,
        last_error: row.last_error,
        created_at: toWireTime(row.created_at),
        next_attempt_at: row.next_attempt_at === null ? null : toWireTime(row.next_attempt_at),
        expires_at: toWireTime(row.expires_at),
        dead_at: row.dead_at === null ? null : toWireTime(row.dead_at),
      }));
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      if (rows.length === 0) {
        context.print(context.flags.dead ? "No mail has failed." : "No mail waits, and none has failed.");
        return 0;
      }
      const cells = rows.map((row) => [
        row.id,
        row.state,
        row.template,
        row.to ?? "",
        String(row.attempts),
        row.next_attempt_at ?? row.dead_at ?? "",
        row.last_error ?? "",
      ]);
      const headings = ["ID", "STATE", "MAIL", "TO", "ATTEMPTS", "NEXT OR FAILED", "WHY"];
      for (const line of columns(headings, cells)) context.print(line);
      return 0;
    }),
};

/** Returns enough of the address to recognise a known recipient: `a•••@example.com`. Returns null after expiry. */
function recipientOf(sealer: Sealer, row: OutboxMailsTable): string | null {
  if (row.sealed === null) return null;
  const { to } = openMail(sealer, { id: row.id, sealed: row.sealed });
  return to.replace(/^(.).*@/, "$1•••@");
}

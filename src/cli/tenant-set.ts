import { NOTICE_KINDS, type NoticeKind } from "../identity/tenants/notice-kinds.ts";
import { changeTenant, type TenantSettings, tenantSettingsOf } from "../identity/tenants/tenant-settings.ts";
import type { TenantsTable } from "../storage/schema.ts";
import {
  argument,
  type Command,
  type CommandContext,
  configFlag,
  dataFlag,
  jsonFlag,
  listFlag,
  textFlag,
  UsageError,
} from "./command.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";
import { tenantJson, tenantLines } from "./tenant-view.ts";

export const tenantSet: Command = {
  name: "tenant set",
  arguments: "SLUG",
  summary: "Change the name of a tenant and its mails to people. A running server follows within seconds.",
  description: `Settings without a flag stay as they are. Security notices: ${NOTICE_KINDS.join(", ")}; all are on by default.`,
  flags: {
    name: { type: "string", value: "NAME", doc: "The name that people see." },
    "mail-from": {
      type: "string",
      value: "SENDER",
      doc: "Sender of its mails, such as 'Acme <no-reply@acme.example>'; '' for the mail_from of the instance.",
    },
    "mail-reply-to": { type: "string", value: "ADDRESS", doc: "Address for replies to its mails; '' for the sender." },
    language: {
      type: "string",
      value: "LANG",
      doc: "Language of mails if the browser asks for no known language: en, de.",
    },
    "notice-off": {
      type: "string",
      multiple: true,
      value: "KIND",
      doc: "No longer send this notice. Repeat the flag, or use commas.",
    },
    "notice-on": { type: "string", multiple: true, value: "KIND", doc: "Send this notice again." },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: [
    "sallyport tenant set default --mail-from 'Acme <no-reply@acme.example>' --mail-reply-to help@acme.example",
    "sallyport tenant set acme --language de --notice-off new_device",
  ],
  run: (context) => {
    const changes = given(context);
    const off = noticeKinds(context, "notice-off");
    const on = noticeKinds(context, "notice-on");
    const both = off.find((kind) => on.includes(kind));
    if (both) throw new UsageError(`--notice-off and --notice-on both name ${both}. Use only one of them.`);
    if (Object.keys(changes).length + off.length + on.length === 0) {
      throw new UsageError("Name at least one setting to change. `sallyport tenant set --help` lists them.");
    }
    // The instance has a setting of the same name, which this command must not set.
    const { "mail-from": _, ...flags } = context.flags;
    return withIdentity({ ...context, flags }, async ({ storage, clock, directory }, { settings }) => {
      const { id } = await tenantNamed(storage.read, argument(context, 0, "SLUG"));
      const row = await storage.write(async (tx) => {
        const current = await tenantNamed(tx, id);
        return changeTenant(tx, clock.now(), current, { ...changes, ...noticesOf(current, off, on) });
      });
      const issuer = settings.public_url === undefined ? null : directory.issuerOf(row.slug);
      if (context.flags.json) context.print(JSON.stringify(tenantJson(row, issuer)));
      else for (const line of tenantLines(row, issuer)) context.print(line);
      return 0;
    });
  },
};

function given(context: CommandContext): Partial<TenantSettings> {
  const changes: Partial<TenantSettings> = {};
  const name = textFlag(context, "name");
  const language = textFlag(context, "language");
  if (name !== undefined) changes.name = name;
  if (language !== undefined) changes.language = language;
  const { "mail-from": from, "mail-reply-to": replyTo } = context.flags;
  if (typeof from === "string") changes.mail_from = from === "" ? null : from;
  if (typeof replyTo === "string") changes.mail_reply_to = replyTo === "" ? null : replyTo;
  return changes;
}

/** @throws UsageError for an unknown notice */
function noticeKinds(context: CommandContext, flag: string): NoticeKind[] {
  const kinds = listFlag(context, flag) ?? [];
  const unknown = kinds.find((kind) => !NOTICE_KINDS.some((known) => known === kind));
  if (unknown === undefined) return kinds as NoticeKind[];
  throw new UsageError(`--${flag} ${unknown} is not a notice. The notices are: ${NOTICE_KINDS.join(", ")}.`);
}

function noticesOf(current: TenantsTable, off: NoticeKind[], on: NoticeKind[]): Partial<TenantSettings> {
  if (off.length + on.length === 0) return {};
  const { notices_off: before } = tenantSettingsOf(current);
  return { notices_off: [...before, ...off].filter((kind) => !on.includes(kind)) };
}

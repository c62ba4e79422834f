import { AppError } from "../../core/errors.ts";
import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import { languages } from "../../mail/languages.ts";
import { parseSender } from "../../mail/sender.ts";
import type { TenantsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { placeOf, systemAct } from "../audit/act.ts";
import { NOTICE_KINDS, type NoticeKind } from "./notice-kinds.ts";
import { updateTenant } from "./store.ts";

const mailbox = z
  .string()
  .refine((text) => parseSender(text) !== null, "must be one address, such as Acme <no-reply@acme.example>");

export const tenantName = lineOfText(100);

const tenantSettings = z.strictObject({
  name: tenantName,
  language: z
    .string()
    .refine((text) => Object.hasOwn(languages, text), `must be one of ${Object.keys(languages).join(", ")}`),
  mail_from: mailbox.nullable(),
  mail_reply_to: mailbox.nullable(),
  notices_off: z.array(z.enum(NOTICE_KINDS)),
});
export type TenantSettings = z.output<typeof tenantSettings>;

export function tenantSettingsOf(row: TenantsTable): TenantSettings {
  const { name, language, mail_from, mail_reply_to, notices_off } = row;
  return { name, language, mail_from, mail_reply_to, notices_off: JSON.parse(notices_off) as NoticeKind[] };
}

/** Changes a tenant's settings. @throws AppError `invalid_input` with the field, `not_found` */
export async function changeTenant(
  tx: Executor,
  now: number,
  current: TenantsTable,
  changes: Partial<TenantSettings>,
): Promise<TenantsTable> {
  const parsed = tenantSettings.safeParse({ ...tenantSettingsOf(current), ...changes });
  if (!parsed.success) {
    throw new AppError("invalid_input", {
      details: parsed.error.issues.map((issue) => ({ path: issue.path.join("."), reason: issue.message })),
    });
  }
  const notices_off = JSON.stringify([...new Set(parsed.data.notices_off)].sort());
  const row = await updateTenant(tx, current.id, { ...parsed.data, notices_off, updated_at: now });
  if (!row) throw new AppError("not_found");
  const target = { kind: "tenant", id: row.id };
  await systemAct(placeOf(row.id)).audit(tx, now, "tenant.changed", target, { fields: Object.keys(changes) });
  return row;
}

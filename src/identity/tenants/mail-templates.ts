import { deleteTemplate, putTemplate } from "../../mail/store.ts";
import type { Template, TemplateName } from "../../mail/templates/template.ts";
import type { Executor } from "../../storage/storage.ts";
import { placeOf, systemAct } from "../audit/act.ts";
import type { AuditAction } from "../audit/actions.ts";

interface TemplateOf {
  tenantId: string;
  name: TemplateName;
  language: string;
}

/** A tenant's own words for a mail, checked before by `templateProblems`. */
export async function setMailTemplate(tx: Executor, now: number, at: TemplateOf, words: Template): Promise<void> {
  const { tenantId, name, language } = at;
  await putTemplate(tx, { tenant_id: tenantId, name, language, ...words, updated_at: now });
  await audit(tx, now, "mail_template.changed", at);
}

/** Back to the words that are built in. @returns whether there were others */
export async function resetMailTemplate(tx: Executor, now: number, at: TemplateOf): Promise<boolean> {
  const was = await deleteTemplate(tx, at.tenantId, at.name, at.language);
  if (was) await audit(tx, now, "mail_template.reset", at);
  return was;
}

function audit(tx: Executor, now: number, action: AuditAction, at: TemplateOf): Promise<void> {
  const { tenantId, name, language } = at;
  const target = { kind: "tenant", id: tenantId };
  return systemAct(placeOf(tenantId)).audit(tx, now, action, target, { template: name, language });
}

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

/** Stores a tenant's text for a mail. `templateProblems` must have checked it. */
export async function setMailTemplate(tx: Executor, now: number, at: TemplateOf, words: Template): Promise<void> {
  const { tenantId, name, language } = at;
  await putTemplate(tx, { tenant_id: tenantId, name, language, ...words, updated_at: now });
  await audit(tx, now, "mail_template.changed", at);
}

/** Restores the built-in text. @returns whether the tenant had another text */
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

import type { AuditEntriesTable } from "../../storage/schema.ts";
import { type Watch, watchOf } from "../../storage/watch.ts";
import { insertEntry } from "./store.ts";

/** An entry of the audit log, as an observer needs it. */
export interface AuditedAct {
  /** null for an act of a job or a command. */
  requestId: string | null;
  action: string;
  actor: { kind: AuditEntriesTable["actor_kind"]; id: string | null };
  target: { kind: string; id: string } | null;
  applicationId: string | null;
  details: Record<string, unknown>;
}

/** Watches the statement itself, so that it sees every act of every folder. */
export function watchAudit(told: (act: AuditedAct) => void): Watch {
  return watchOf(insertEntry, (row) => {
    told({
      requestId: row.request_id,
      action: row.action,
      actor: { kind: row.actor_kind, id: row.actor_id },
      target: row.target_kind === null || row.target_id === null ? null : { kind: row.target_kind, id: row.target_id },
      applicationId: row.application_id,
      details: JSON.parse(row.details) as Record<string, unknown>,
    });
  });
}

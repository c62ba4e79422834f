import type { Log } from "../../core/log.ts";
import type { RequestLog } from "../../http/request-log.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";
import type { CaughtMail } from "../../mail/inbox.ts";

/** Logs everything for `dev`, except passwords, tokens, secrets and bodies. Only this log shows codes and links of mails. */
export interface DevLog extends RequestLog {
  audited(act: AuditedAct): void;
  caught(mail: CaughtMail): void;
  /** The log of the application itself. */
  readonly log: Log;
  /** Writes the lines that are still held back. */
  flush(): void;
}

import type { Log } from "../../core/log.ts";
import type { RequestLog } from "../../http/request-log.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";
import type { CaughtMail } from "../../mail/inbox.ts";

/** Everything that `dev` tells while it runs. Never a password, a token, a secret or a body; codes and links of mails only here. */
export interface DevLog extends RequestLog {
  audited(act: AuditedAct): void;
  caught(mail: CaughtMail): void;
  /** For what the application itself has to say. */
  readonly log: Log;
  /** Writes what is still held back. */
  flush(): void;
}

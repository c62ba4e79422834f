import type { Log } from "../../core/log.ts";
import { type AnsweredRequest, type ClosedAnswer, requestFields } from "../../http/request-log.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";
import type { CaughtMail } from "../../mail/inbox.ts";
import { nameOf } from "./act-text.ts";
import { ActsByRequest } from "./acts.ts";
import type { DevLog } from "./dev-log.ts";
import { refusalMeaning } from "./refusal-text.ts";
import { isNoise } from "./request-line.ts";

export interface JsonLogOptions {
  /** Receives the requests at level `info`. */
  requests: Log;
  log: Log;
  mendOf(request: AnsweredRequest): string | null;
}

/** The log of `dev` for programs: one JSON object per line. */
export class JsonLog implements DevLog {
  readonly log: Log;
  readonly #acts = new ActsByRequest();

  constructor(private readonly options: JsonLogOptions) {
    this.log = options.log;
  }

  answered(request: AnsweredRequest): void {
    const acts = this.#acts.take(request.requestId);
    if (isNoise(request)) return;
    const mend = this.options.mendOf(request);
    const reason = refusalMeaning(request);
    this.options.requests.info(
      {
        ...requestFields(request),
        ...(reason === null ? {} : { reason }),
        ...(request.page === null ? {} : { page: request.page }),
        ...(acts.length === 0 ? {} : { acts: acts.map(actFields) }),
        ...(mend === null ? {} : { mend }),
      },
      "Request",
    );
  }

  closed(request: ClosedAnswer): void {
    this.options.requests.info({ ...requestFields(request), closed_by: request.closedBy }, "Request closed");
  }

  audited(act: AuditedAct): void {
    if (!this.#acts.add(act)) this.options.requests.info(actFields(act), "Act");
  }

  caught({ to, subject, code, link }: CaughtMail): void {
    this.options.requests.info({ to, subject, code, link }, "Mail");
  }

  flush(): void {}
}

function actFields(act: AuditedAct): Record<string, string | null> {
  return { action: act.action, actor: nameOf(act.actor) ?? act.actor.kind, target: nameOf(act.target) };
}

import type { Clock } from "../core/clock.ts";
import { HOUR, MINUTE, SECOND } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { OutboxMailsTable } from "../storage/schema-people.ts";
import type { Executor, Storage } from "../storage/storage.ts";
import { languageFor, languages } from "./languages.ts";
import { render } from "./render.ts";
import { claimMail, dueMails, findTemplate, insertMail, updateMail } from "./store.ts";
import type { TemplateName } from "./templates/template.ts";
import { type Mail, MailRefused, type Transport } from "./transport.ts";

/** Seals what a mail says: it holds links and codes, and a dump of the database must hold neither. */
export interface Sealer {
  seal(plain: Uint8Array, context: { keyId: string; purpose: string }): Uint8Array;
  open(sealed: Uint8Array, context: { keyId: string; purpose: string }): Uint8Array;
}

/** Whose mail it is. */
interface Sender {
  id: string;
  name: string;
  language: string;
  mailFrom: string | null;
  mailReplyTo: string | null;
}

export interface MailOrder {
  tenant: Sender;
  /** The stored address; null for nobody, which costs the same work and sends nothing. */
  to: string | null;
  userId: string | null;
  template: TemplateName;
  /** By the names of `TEMPLATE_VALUES`. An empty one leaves its line out. */
  values: Readonly<Record<string, string>>;
  /** The value of Accept-Language. */
  languages: string | null;
  /** Not sent after this. */
  expiresAt: number;
}

/** Milliseconds until the next attempt, by how many there were. */
const BACKOFF = [10 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR] as const;
const MAX_ATTEMPTS = 12;
/** How long one attempt may take before another node may try. Longer than the transport's own limits. */
const LEASE = 2 * MINUTE;
const BATCH = 20;
const PURPOSE = "outbox-mail";

/**
 * Mails are written in the transaction of the act that they tell of, and carried out after it: no act waits for a mail
 * server, none is told of that did not happen, and a restart forgets none.
 */
export class Outbox {
  readonly stats = { sent: 0, retried: 0, dead: 0 };
  #running: Promise<void> | null = null;

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly sealer: Sealer,
    private readonly transport: Transport | null,
    private readonly mailFrom: string,
    private readonly log: Pick<Log, "warn" | "error"> | null,
  ) {}

  /** In the transaction of the act. */
  async queue(tx: Executor, order: MailOrder): Promise<void> {
    const now = this.clock.now();
    const id = newId(now);
    const language = languageFor(order.languages, order.tenant.language);
    const own = await findTemplate(tx, order.tenant.id, order.template, language);
    const template = own ?? languages[language]?.[order.template];
    if (!template) throw new Error(`no template ${order.template} in ${language}`);
    const values = { tenant: order.tenant.name, ...order.values };
    const mail: Mail = {
      id,
      from: order.tenant.mailFrom ?? this.mailFrom,
      replyTo: order.tenant.mailReplyTo,
      to: order.to ?? "",
      language,
      ...render(template, values, language),
    };
    await tx.all(insertMail, {
      id,
      tenant_id: order.tenant.id,
      user_id: order.userId,
      template: order.template,
      sealed: this.sealer.seal(Buffer.from(JSON.stringify(mail)), { keyId: id, purpose: PURPOSE }),
      is_void: order.to === null ? 1 : 0,
      created_at: now,
      next_attempt_at: now,
      expires_at: order.expiresAt,
    });
  }

  /** Carries out what is due. Called again while it runs, it looks once more before it ends. */
  deliver(): Promise<void> {
    this.#running = (this.#running ?? Promise.resolve()).then(() => this.#deliverDue());
    return this.#running;
  }

  async #deliverDue(): Promise<void> {
    // Without a transport mails wait: one may be configured, and the process started again, before they expire.
    if (!this.transport) return;
    for (;;) {
      const due = await dueMails(this.storage.read, this.clock.now(), BATCH);
      if (due.length === 0) return;
      await Promise.all(due.map((row) => this.#deliverOne(row)));
    }
  }

  async #deliverOne(row: OutboxMailsTable): Promise<void> {
    const { clock, storage } = this;
    if (!(await storage.write((tx) => claimMail(tx, row, clock.now() + LEASE)))) return;
    const done = (outcome: Parameters<typeof updateMail>[2]) =>
      storage.write((tx) => updateMail(tx, row.id, { next_attempt_at: null, ...outcome }));
    if (row.is_void === 1 || row.sealed === null) {
      await done({ sealed: null, sent_at: clock.now() });
      return;
    }
    if (row.expires_at <= clock.now()) {
      this.stats.dead++;
      await done({
        sealed: null,
        dead_at: clock.now(),
        last_error: row.last_error ?? "expired before it could be sent",
      });
      return;
    }
    try {
      const plain = this.sealer.open(row.sealed, { keyId: row.id, purpose: PURPOSE });
      await this.transport?.send(JSON.parse(Buffer.from(plain).toString("utf8")) as Mail);
      this.stats.sent++;
      await done({ sealed: null, sent_at: clock.now(), last_error: null });
    } catch (error) {
      const reason = error instanceof MailRefused ? error.message : "not delivered; the log says why";
      const attempts = row.attempts + 1;
      const wait = BACKOFF[Math.min(attempts, BACKOFF.length) - 1] ?? HOUR;
      const isDead = (error instanceof MailRefused && error.isPermanent) || attempts >= MAX_ATTEMPTS;
      this.log?.warn({ mail: row.id, template: row.template, attempts, isDead, err: error }, "A mail was not taken.");
      if (isDead) {
        this.stats.dead++;
        await done({ dead_at: clock.now(), last_error: reason });
      } else {
        this.stats.retried++;
        await done({ next_attempt_at: clock.now() + wait, last_error: reason });
      }
    }
  }
}

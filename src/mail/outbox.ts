import type { Clock } from "../core/clock.ts";
import { newId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { Executor, Storage } from "../storage/storage.ts";
import { MailDelivery } from "./delivery.ts";
import { inWordsOf, languageFor, languages } from "./languages.ts";
import { render } from "./render.ts";
import { parseSender, type Sender } from "./sender.ts";
import { findTemplate, insertMail } from "./store.ts";
import type { TemplateName } from "./templates/template.ts";
import type { Mail, Transport } from "./transport.ts";

/** Seals what a mail says: it holds links and codes, and a dump of the database must hold neither. */
export interface Sealer {
  seal(plain: Uint8Array, context: { keyId: string; purpose: string }): Uint8Array;
  open(sealed: Uint8Array, context: { keyId: string; purpose: string }): Uint8Array;
}

/** Whose mail it is. */
export interface MailTenant {
  id: string;
  name: string;
  language: string;
  mailFrom: string | null;
  mailReplyTo: string | null;
}

export interface MailOrder {
  tenant: MailTenant;
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

export interface OutboxOptions {
  storage: Storage;
  clock: Clock;
  sealer: Sealer;
  transport: Transport | null;
  /** Mails on their way at once. */
  atOnce: number;
  /** Of mails whose tenant has no sender of its own. */
  from: Sender;
  log: Pick<Log, "warn" | "error"> | null;
}

const PURPOSE = "outbox-mail";

/**
 * Mails are written in the transaction of the act that they tell of, and carried out after it: no act waits for a mail
 * server, none is told of that did not happen, and a restart forgets none.
 */
export class Outbox {
  readonly #delivery: MailDelivery;

  constructor(private readonly options: OutboxOptions) {
    const { sealer } = options;
    this.#delivery = new MailDelivery({ ...options, open: (row) => openMail(sealer, row) });
  }

  get stats(): Readonly<MailDelivery["stats"]> {
    return this.#delivery.stats;
  }

  /** In the transaction of the act. */
  async queue(tx: Executor, order: MailOrder): Promise<void> {
    const now = this.options.clock.now();
    const id = newId(now);
    const mail = await this.write(tx, { ...order, to: order.to ?? "" }, id);
    await tx.all(insertMail, {
      id,
      tenant_id: order.tenant.id,
      user_id: order.userId,
      template: order.template,
      sealed: this.options.sealer.seal(Buffer.from(JSON.stringify(mail)), { keyId: id, purpose: PURPOSE }),
      is_void: order.to === null ? 1 : 0,
      created_at: now,
      next_attempt_at: now,
      expires_at: order.expiresAt,
    });
  }

  /** The mail itself, in its reader's language and its tenant's words. */
  async write(
    at: Executor,
    order: Pick<MailOrder, "tenant" | "template" | "values" | "languages"> & { to: string },
    id: string,
  ): Promise<Mail> {
    const { tenant } = order;
    const language = languageFor(order.languages, tenant.language);
    const own = await findTemplate(at, tenant.id, order.template, language);
    const words = languages[language];
    const template = own ?? words?.templates[order.template];
    if (!words || !template) throw new Error(`no template ${order.template} in ${language}`);
    return {
      id,
      createdAt: this.options.clock.now(),
      from: (tenant.mailFrom === null ? null : parseSender(tenant.mailFrom)) ?? this.options.from,
      replyTo: tenant.mailReplyTo === null ? null : parseSender(tenant.mailReplyTo),
      to: order.to,
      language,
      ...render(template, inWordsOf(words, { tenant: tenant.name, ...order.values }), language),
    };
  }

  /** Sends what is due on its way. */
  look(): Promise<void> {
    return this.#delivery.look();
  }

  /** Carries out what is due, to the end. */
  async deliver(): Promise<void> {
    await this.#delivery.look();
    await this.#delivery.idle();
  }

  /** Counts for /metrics what waits. */
  count(): Promise<void> {
    return this.#delivery.count();
  }

  /** Takes nothing more in hand. @param patience ms that mails on their way may take */
  stop(patience?: number): Promise<void> {
    return this.#delivery.stop(patience);
  }
}

/** What a row of the outbox holds, until it is sent. */
export function openMail(sealer: Sealer, row: { id: string; sealed: Uint8Array }): Mail {
  const plain = sealer.open(row.sealed, { keyId: row.id, purpose: PURPOSE });
  return JSON.parse(Buffer.from(plain).toString("utf8")) as Mail;
}

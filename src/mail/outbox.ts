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

/** Seals a mail. It holds links and codes, which a dump of the database must not reveal. */
export interface Sealer {
  seal(plain: Uint8Array, context: { keyId: string; purpose: string }): Uint8Array;
  open(sealed: Uint8Array, context: { keyId: string; purpose: string }): Uint8Array;
}

/** The tenant of a mail. */
export interface MailTenant {
  id: string;
  name: string;
  language: string;
  mailFrom: string | null;
  mailReplyTo: string | null;
}

export interface MailOrder {
  tenant: MailTenant;
  /** The stored address. Null does the same work and sends nothing, so that timing reveals no account. */
  to: string | null;
  userId: string | null;
  template: TemplateName;
  /** Values by the names in `TEMPLATE_VALUES`. A line with an empty value is omitted. */
  values: Readonly<Record<string, string>>;
  /** The value of Accept-Language. */
  languages: string | null;
  /** The mail is never sent after this time. */
  expiresAt: number;
}

export interface OutboxOptions {
  storage: Storage;
  clock: Clock;
  sealer: Sealer;
  transport: Transport | null;
  /** The maximum number of mails on their way. */
  atOnce: number;
  /** The sender for tenants without their own sender. */
  from: Sender;
  log: Pick<Log, "warn" | "error"> | null;
}

const PURPOSE = "outbox-mail";

/**
 * Writes mails in the transaction of the act that they report, and sends them afterwards. So no act waits for a mail server,
 * no mail reports an act that was rolled back, and a restart loses no mail.
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

  /** Queues a mail in the transaction of its act. */
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

  /** Writes the mail in the language of its reader and the words of its tenant. */
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

  /** Starts to send the due mails. */
  look(): Promise<void> {
    return this.#delivery.look();
  }

  /** Sends the due mails, and waits until they are sent. */
  async deliver(): Promise<void> {
    await this.#delivery.look();
    await this.#delivery.idle();
  }

  /** Counts the waiting mails for /metrics. */
  count(): Promise<void> {
    return this.#delivery.count();
  }

  /** Claims no more mails. @param patience milliseconds for mails on their way */
  stop(patience?: number): Promise<void> {
    return this.#delivery.stop(patience);
  }
}

/** Unseals the mail of a row, which holds it until it is sent. */
export function openMail(sealer: Sealer, row: { id: string; sealed: Uint8Array }): Mail {
  const plain = sealer.open(row.sealed, { keyId: row.id, purpose: PURPOSE });
  return JSON.parse(Buffer.from(plain).toString("utf8")) as Mail;
}

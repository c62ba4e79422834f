import type { Clock } from "../core/clock.ts";
import { HOUR, MINUTE, SECOND } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { OutboxMailsTable } from "../storage/schema-people.ts";
import type { Storage } from "../storage/storage.ts";
import { claimMail, countWaiting, dueMails, markSent, settleMail } from "./store.ts";
import { type Mail, MailRefused, type Transport } from "./transport.ts";

/** Milliseconds until the next attempt, by the number of attempts so far. The last value repeats until the mail expires. */
const BACKOFF = [10 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR] as const;
/** Milliseconds for an attempt. */
const DEADLINE = MINUTE;
/** Milliseconds for which a node owns a mail. Longer than an attempt, so that no other node sends it meanwhile. */
const LEASE = DEADLINE + 30 * SECOND;
/** Milliseconds for mails on their way to finish after the process is told to stop. */
const PATIENCE = 5 * SECOND;

/** Reasons to give up a mail that no server refused. */
const EXPIRED = "expired before it could be sent";
const FAULT = "not sent; the log says why";

interface DeliveryOptions {
  storage: Storage;
  clock: Clock;
  /** Unseals the mail of a row. */
  open: (row: Pick<OutboxMailsTable, "id"> & { sealed: Uint8Array }) => Mail;
  /** Null if no mail server is configured; mails wait then. */
  transport: Transport | null;
  /** The maximum number of mails on their way. */
  atOnce: number;
  log: Pick<Log, "warn" | "error"> | null;
}

/**
 * Sends the mails of the outbox, each at least once: it claims a mail before it sends it, and marks it afterwards. If the
 * process is killed in between, the mail stays claimed until the lease ends. The mail then goes again under the same
 * Message-ID, by which mail servers recognise a duplicate.
 */
export class MailDelivery {
  /** `waiting` as of the last {@link count}; the other counts since the start of this process. */
  readonly stats = { waiting: 0, sent: 0, retried: 0, dead: 0 };
  readonly #onTheirWay = new Map<Promise<void>, AbortController>();
  #looking: Promise<void> | null = null;
  #askedAgain = false;
  #mayBeMore = false;
  #stopped = false;

  constructor(private readonly options: DeliveryOptions) {}

  /**
   * Starts to send due mails, as many as allowed at the same time; the rest follows by itself.
   * @returns when they are on their way, not when they have arrived
   */
  look(): Promise<void> {
    this.#askedAgain = true;
    this.#looking ??= this.#lookWhileAsked();
    return this.#looking;
  }

  /** Resolves when no mail is on its way. */
  async idle(): Promise<void> {
    while (this.#looking !== null || this.#onTheirWay.size > 0) {
      await Promise.allSettled([this.#looking, ...this.#onTheirWay.keys()]);
    }
  }

  /** Claims no more mails, and aborts those that take too long. They are due again at the next start. */
  async stop(patience = PATIENCE): Promise<void> {
    this.#stopped = true;
    const timer = setTimeout(() => {
      for (const attempt of this.#onTheirWay.values()) attempt.abort();
    }, patience);
    await this.idle();
    clearTimeout(timer);
  }

  async count(): Promise<void> {
    this.stats.waiting = await countWaiting(this.options.storage.read);
  }

  async #lookWhileAsked(): Promise<void> {
    try {
      while (this.#askedAgain) {
        this.#askedAgain = false;
        await this.#takeDue();
      }
    } finally {
      this.#looking = null;
    }
  }

  async #takeDue(): Promise<void> {
    const { storage, clock, transport, atOnce } = this.options;
    for (;;) {
      const free = atOnce - this.#onTheirWay.size;
      this.#mayBeMore = free <= 0;
      // Without a transport, mails wait: an operator may configure a mail server and restart before they expire.
      if (transport === null || this.#stopped || free <= 0) return;
      const due = await dueMails(storage.read, clock.now(), free);
      if (due.length === 0) return;
      const until = clock.now() + LEASE;
      const claims = await Promise.all(due.map((row) => storage.write((tx) => claimMail(tx, row, until))));
      for (const claimed of claims) if (claimed) this.#begin(claimed, transport);
    }
  }

  #begin(row: OutboxMailsTable, transport: Transport): void {
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(), DEADLINE);
    const done = this.#carryOut(row, transport, attempt.signal)
      .catch((err: unknown) =>
        this.options.log?.error({ mail: row.id, err }, "Sallyport could not mark a mail as sent or failed."),
      )
      .finally(() => {
        clearTimeout(timer);
        this.#onTheirWay.delete(done);
        if (this.#mayBeMore) this.look().catch((err: unknown) => this.options.log?.error({ err }, "Mails wait."));
      });
    this.#onTheirWay.set(done, attempt);
  }

  async #carryOut(row: OutboxMailsTable, transport: Transport, signal: AbortSignal): Promise<void> {
    const { storage, clock } = this.options;
    if (row.is_void === 1) {
      await storage.write((tx) => markSent(tx, row.id, clock.now()));
      return;
    }
    if (row.expires_at <= clock.now() || row.sealed === null) {
      await this.#giveUp(row, row.last_error ?? EXPIRED);
      return;
    }
    try {
      await transport.send(this.options.open({ id: row.id, sealed: row.sealed }), signal);
    } catch (error) {
      await this.#failed(row, error);
      return;
    }
    this.stats.sent++;
    await storage.write((tx) => markSent(tx, row.id, clock.now()));
  }

  async #failed(row: OutboxMailsTable, thrown: unknown): Promise<void> {
    const { storage, clock, log } = this.options;
    const refusal = thrown instanceof MailRefused ? thrown : null;
    const reason = refusal?.message ?? FAULT;
    const fields = { mail: row.id, template: row.template, attempts: row.attempts, reason };
    if (refusal === null) log?.error({ ...fields, err: thrown }, "Sallyport could not send a mail.");
    // A mail that the stopping process aborted is due at once after the next start.
    const wait = this.#stopped ? 0 : (BACKOFF[Math.min(row.attempts, BACKOFF.length) - 1] ?? HOUR);
    const next = clock.now() + wait;
    if (refusal?.isPermanent || next >= row.expires_at) {
      if (refusal) log?.warn(fields, "A mail has failed for good. `sallyport mail list --dead` lists failed mails.");
      await this.#giveUp(row, reason);
      return;
    }
    if (refusal)
      log?.warn({ ...fields, next_in: wait / SECOND }, "The mail server refused a mail for now. It is tried again.");
    this.stats.retried++;
    await storage.write((tx) => settleMail(tx, row, { next_attempt_at: next, dead_at: null, last_error: reason }));
  }

  async #giveUp(row: OutboxMailsTable, reason: string): Promise<void> {
    const { storage, clock } = this.options;
    this.stats.dead++;
    const outcome = { next_attempt_at: null, dead_at: clock.now(), last_error: reason };
    await storage.write((tx) => settleMail(tx, row, outcome));
  }
}

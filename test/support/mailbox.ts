import type { Mail, Transport } from "../../src/mail/transport.ts";

export interface ReceivedMail extends Mail {
  /** The link's token (behind the `#`), where it has one. */
  link: string | null;
  /** The code that it holds, as it is written. */
  code: string | null;
  /** What it tells, as the outbox names it. */
  template: string;
}

/** Takes mails as a mail server would. */
export class Mailbox implements Transport {
  /** Thrown at the next attempts, first one first. */
  readonly failures: Error[] = [];
  #mails: ReceivedMail[] = [];

  async send(mail: Mail): Promise<string> {
    const failure = this.failures.shift();
    if (failure) throw failure;
    const link = /#(sally_ml_[0-9A-Za-z]+)/.exec(mail.text)?.[1] ?? null;
    const code = /^(\d{4} \d{4})$/m.exec(mail.text)?.[1] ?? null;
    this.#mails.push({ ...mail, link, code, template: "" });
    return "250 taken";
  }

  async close(): Promise<void> {}

  /** Removes and answers the mails of one address, or all. */
  take(to?: string): ReceivedMail[] {
    const taken = this.#mails.filter((mail) => to === undefined || mail.to === to);
    this.#mails = this.#mails.filter((mail) => !taken.includes(mail));
    return taken;
  }
}

import type { Mail, Transport } from "../../src/mail/transport.ts";

export interface ReceivedMail extends Mail {
  /** The link's token (after the `#`), if the mail has a link. */
  link: string | null;
  /** The code in the mail, exactly as written. */
  code: string | null;
  /** The kind of mail, as the outbox names it. */
  template: string;
}

/** Accepts mails as a mail server would. */
export class Mailbox implements Transport {
  /** Errors of the next attempts, in order. */
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

  /** Removes and returns the mails to one address, or all mails. */
  take(to?: string): ReceivedMail[] {
    const taken = this.#mails.filter((mail) => to === undefined || mail.to === to);
    this.#mails = this.#mails.filter((mail) => !taken.includes(mail));
    return taken;
  }
}

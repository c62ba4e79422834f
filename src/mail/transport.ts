import type { Sender } from "./sender.ts";

/** A mail that is ready to send. */
export interface Mail {
  /** The id of its outbox row. It stays the same for each attempt, and so does the Message-ID. */
  id: string;
  /** The time when it was written (ms), for its Date header, even if it is sent much later. */
  createdAt: number;
  from: Sender;
  replyTo: Sender | null;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** The language, such as `en` or `de`. */
  language: string;
}

/** Sends mails: by SMTP, or into the inbox of `sallyport dev`. */
export interface Transport {
  /**
   * Resolves with the server's answer when the server has taken the mail.
   * @param signal aborts the attempt
   * @throws MailRefused
   */
  send(mail: Mail, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** Says that the server did not take the mail. The message is its answer, without addresses. */
export class MailRefused extends Error {
  override name = "MailRefused";

  constructor(
    message: string,
    /** Whether another attempt is pointless (RFC 5321 section 4.2.1: 5yz). */
    readonly isPermanent: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

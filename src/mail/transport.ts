import type { Sender } from "./sender.ts";

/** A mail, ready to go. */
export interface Mail {
  /** Of its outbox row: the same at each attempt, so that its Message-ID is too. */
  id: string;
  /** When it was written (ms): its Date header, however late it goes. */
  createdAt: number;
  from: Sender;
  replyTo: Sender | null;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** `en`, `de`. */
  language: string;
}

/** What carries mails out: SMTP, or the inbox of `sallyport dev`. */
export interface Transport {
  /**
   * Resolves, with what the server answered, once the mail is somebody else's care.
   * @param signal ends the attempt
   * @throws MailRefused
   */
  send(mail: Mail, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** The mail was not taken. The message is the server's answer, without any address. */
export class MailRefused extends Error {
  override name = "MailRefused";

  constructor(
    message: string,
    /** Whether to try again makes no sense (RFC 5321 section 4.2.1: 5yz). */
    readonly isPermanent: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

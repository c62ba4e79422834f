import type { Mail, Transport } from "./transport.ts";

/** A caught mail, with the parts that a reader looks for. */
export interface CaughtMail extends Mail {
  /** The target of its button, if that is the page of a link that acts. */
  link: string | null;
  code: string | null;
}

/** The maximum number of mails to keep. */
const KEPT = 200;

/** The inbox of `sallyport dev`: takes every mail, sends none, and keeps the last {@link KEPT} in memory. */
export class Inbox implements Transport {
  #mails: readonly CaughtMail[] = [];
  #version = 0;

  /** @param caught is called with each mail */
  constructor(private readonly caught: (mail: CaughtMail) => void = () => undefined) {}

  /** Increases with each change. */
  get version(): number {
    return this.#version;
  }

  /** Returns the newest mail first. @param to only mails to this address */
  list(to?: string): readonly CaughtMail[] {
    return to === undefined ? this.#mails : this.#mails.filter((mail) => mail.to.toLowerCase() === to.toLowerCase());
  }

  find(id: string): CaughtMail | undefined {
    return this.#mails.find((mail) => mail.id === id);
  }

  empty(): void {
    this.#keep([]);
  }

  async send(mail: Mail): Promise<string> {
    const link = /https?:\/\/\S+\/link#\S+/.exec(mail.text)?.[0] ?? null;
    const code = /^\d{4} \d{4}$/m.exec(mail.text)?.[0] ?? null;
    const caught = { ...mail, link, code };
    this.#keep([caught, ...this.#mails.slice(0, KEPT - 1)]);
    this.caught(caught);
    return "caught";
  }

  async close(): Promise<void> {}

  #keep(mails: readonly CaughtMail[]): void {
    this.#mails = mails;
    this.#version++;
  }
}

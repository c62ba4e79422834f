import type { Mail, Transport } from "./transport.ts";

/** A mail that was caught, with what somebody looks for in it. */
export interface CaughtMail extends Mail {
  /** What its button leads to, where that is an act: the page that links lead to. */
  link: string | null;
  code: string | null;
}

/** Mails that are kept at most. */
const KEPT = 200;

/** The inbox of `sallyport dev`: takes every mail and sends none. In memory, the last {@link KEPT}. */
export class Inbox implements Transport {
  #mails: readonly CaughtMail[] = [];
  #version = 0;

  /** @param caught is told of each mail */
  constructor(private readonly caught: (mail: CaughtMail) => void = () => undefined) {}

  /** Rises with each change. */
  get version(): number {
    return this.#version;
  }

  /** Newest first. @param to of this address only */
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

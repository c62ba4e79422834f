import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

/** A real SMTP server that keeps every mail. */
export interface MailServer extends AsyncDisposable {
  /** For `smtp_url`: `smtp://localhost:<port>`. */
  url: string;
  /** Returns the next unread mail to this address, or waits for one. @throws Error if none comes */
  next(address: string, about?: RegExp): Promise<Email>;
}

interface Held {
  to: string[];
  mail: Email;
}

/** Milliseconds; far longer than the outbox waits. */
const PATIENCE = 30_000;

export async function startMailServer(): Promise<MailServer> {
  const held: Held[] = [];
  const server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    onData(stream, session, callback) {
      const to = session.envelope.rcptTo.map(({ address }) => address);
      new Response(stream as unknown as ReadableStream)
        .arrayBuffer()
        .then((bytes) => PostalMime.parse(bytes))
        .then((mail) => {
          held.push({ to, mail });
          callback();
        }, callback);
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;

  function take(address: string, about: RegExp): Email | undefined {
    const index = held.findIndex(({ to, mail }) => to.includes(address) && about.test(`${mail.subject}\n${mail.text}`));
    return index === -1 ? undefined : held.splice(index, 1)[0]?.mail;
  }

  return {
    url: `smtp://localhost:${port}`,
    next: async (address, about = /./) => {
      const end = performance.now() + PATIENCE;
      for (;;) {
        const mail = take(address, about);
        if (mail) return mail;
        if (performance.now() > end) {
          const there = held.map(({ to, mail: { subject } }) => `${to.join(", ")}: ${subject}`).join("; ");
          throw new Error(`no mail about ${about} came to ${address}; there are: ${there || "none"}`);
        }
        await Bun.sleep(50);
      }
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

import { HOUR } from "../../../src/core/clock.ts";
import type { MailOrder } from "../../../src/mail/outbox.ts";
import type { Mail, Transport } from "../../../src/mail/transport.ts";
import type { TestApp } from "../../support/app.ts";

/** Puts a mail into the outbox, as an act would. Its secrets become those of the application. */
export async function order(app: TestApp, changes: Partial<MailOrder> = {}): Promise<void> {
  const tenant = await app.identity.directory.tenant(app.tenantId);
  if (!tenant) throw new Error("no tenant");
  const link = `${tenant.issuer}/link#sally_ml_${crypto.randomUUID()}`;
  app.secrets.add(link).add("ada.lovelace@example.com");
  await app.storage.write((tx) =>
    app.identity.outbox.queue(tx, {
      tenant,
      to: "ada.lovelace@example.com",
      userId: null,
      template: "reset_password",
      values: { application: "Acme", link, code: "1234 5678", minutes: "60" },
      languages: null,
      expiresAt: app.clock.now() + HOUR,
      ...changes,
    }),
  );
}

/** Returns the rows of the outbox, oldest first. */
export function rows(app: TestApp) {
  return app.storage.read.kysely.selectFrom("outbox_mails").selectAll().orderBy("id").execute();
}

/** A mail server that is as slow as the test wants. */
export class SlowTransport implements Transport {
  readonly taken: Mail[] = [];
  /** Mails on their way, each with the function that ends it. */
  readonly inHand: { mail: Mail; end: (error?: Error) => void }[] = [];
  most = 0;
  /** Whether the server takes a mail at once. */
  isFast: (mail: Mail) => boolean = () => false;

  send(mail: Mail, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => {
      const entry = {
        mail,
        end: (error?: Error) => {
          this.inHand.splice(this.inHand.indexOf(entry), 1);
          if (error) return reject(error);
          this.taken.push(mail);
          resolve("250 taken");
        },
      };
      this.inHand.push(entry);
      this.most = Math.max(this.most, this.inHand.length);
      signal.addEventListener("abort", () => entry.end(new Error("aborted")));
      if (this.isFast(mail)) entry.end();
    });
  }

  async close(): Promise<void> {}

  /** Resolves when this many mails are on their way. */
  async holding(count: number): Promise<void> {
    while (this.inHand.length < count) await Bun.sleep(2);
  }
}

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

export interface Received {
  envelope: { from: string; to: string[] };
  isSecure: boolean;
  user: string | null;
  /** The name of the client in EHLO. */
  helo: string;
  raw: string;
  mail: Email;
}

type Phase = "connect" | "auth" | "mail" | "rcpt" | "data";

interface Fault {
  phase: Phase;
  /** An answer such as `451 4.7.1 Try later`. `drop` disconnects, `hang` is silent, and `keep and …` takes the mail first. */
  does: string;
}

interface ServerOptions {
  tls?: "none" | "starttls" | "implicit";
  /** The required sign-in. Without it no client must sign in. */
  login?: { user: string; password: string };
  port?: number;
}

/** A real mail server on this machine that can be told to fail. */
export class MailServer implements AsyncDisposable {
  readonly received: Received[] = [];
  /** Faults in order. Each happens once, at its phase. */
  readonly faults: Fault[] = [];
  connections = 0;
  /** The number of messages being received, now and at most. */
  atOnce = { now: 0, most: 0 };
  #release: (() => void)[] = [];

  private constructor(
    private readonly server: SMTPServer,
    readonly port: number,
  ) {}

  static async start({ tls = "none", login, port = 0 }: ServerOptions = {}): Promise<MailServer> {
    const { key, cert } = certificate();
    const self: { made?: MailServer } = {};
    const at = (phase: Phase, done: (error?: Error | null) => void) => self.made?.meet(phase, done);
    const server = new SMTPServer({
      key,
      cert,
      secure: tls === "implicit",
      disabledCommands: tls === "none" ? ["STARTTLS"] : [],
      authOptional: login === undefined,
      allowInsecureAuth: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      onConnect: (_session, done) => {
        if (self.made) self.made.connections++;
        at("connect", done);
      },
      onAuth: (auth, _session, done) => {
        const isRight = auth.username === login?.user && auth.password === login?.password;
        if (!isRight) return done(refusal("535 5.7.8 Authentication credentials invalid"));
        at("auth", (error) => (error ? done(error) : done(null, { user: auth.username ?? "" })));
      },
      onMailFrom: (_address, _session, done) => at("mail", done),
      onRcptTo: (_address, _session, done) => at("rcpt", done),
      onData: (stream, session, done) => {
        const { made } = self;
        if (!made) return;
        made.atOnce.most = Math.max(made.atOnce.most, ++made.atOnce.now);
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", async () => {
          const raw = Buffer.concat(chunks).toString("utf8");
          const { mailFrom, rcptTo } = session.envelope;
          const received: Received = {
            envelope: { from: mailFrom ? mailFrom.address : "", to: rcptTo.map(({ address }) => address) },
            isSecure: session.secure,
            user: typeof session.user === "string" ? session.user : null,
            helo: String(session.hostNameAppearsAs),
            raw,
            mail: await PostalMime.parse(raw),
          };
          made.meet(
            "data",
            (error) => {
              made.atOnce.now--;
              if (!error) made.received.push(received);
              if (error) done(error);
              else done(null, "queued as 4711");
            },
            received,
          );
        });
      },
    });
    server.on("error", () => {});
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve());
    });
    self.made = new MailServer(server, (server.server.address() as AddressInfo).port);
    return self.made;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Releases everything that hangs. */
  release(): void {
    for (const go of this.#release.splice(0)) go();
  }

  /** Resolves when this many are hanging. */
  async hanging(count: number): Promise<void> {
    while (this.#release.length < count) await Bun.sleep(5);
  }

  /** Makes every such phase hang until it is released. */
  hangs: Phase | null = null;

  meet(phase: Phase, done: (error?: Error | null) => void, received?: Received): void {
    const [next] = this.faults;
    const does = next?.phase === phase ? this.faults.shift()?.does : this.hangs === phase ? "hang" : undefined;
    if (does === undefined) done();
    else if (does.endsWith("hang")) {
      if (does.startsWith("keep") && received) this.received.push(received);
      this.#release.push(() => done(does.startsWith("keep") ? refusal("451 late") : null));
    } else if (does.endsWith("drop")) {
      if (does.startsWith("keep") && received) this.received.push(received);
      for (const connection of this.server.connections)
        (connection as unknown as { _socket: Socket })._socket.destroy();
    } else done(refusal(does));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function refusal(answer: string): Error {
  const [code = "", ...words] = answer.split(" ");
  return Object.assign(new Error(words.join(" ")), { responseCode: Number(code) });
}

let made: { key: string; cert: string } | undefined;

/** Creates a self-signed certificate for localhost, for this run. */
export function certificate(): { key: string; cert: string } {
  if (made) return made;
  const directory = mkdtempSync(join(tmpdir(), "sallyport-mail-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const names = "subjectAltName=DNS:localhost";
  const command = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -addext ${names}`;
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...command.split(" "), "-keyout", key, "-out", cert]);
  if (exitCode !== 0) throw new Error(`openssl: ${stderr.toString()}`);
  made = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  rmSync(directory, { recursive: true });
  return made;
}

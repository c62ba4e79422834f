import type { Socket } from "bun";

/** The fate of one request: it arrives, its connection is reset, its answer is cut, or another machine answers, which asks for an hour. */
export type Fate = "pass" | "reset" | "cut" | { status: string; body: string };

type Fated = (request: { method: string; path: string; origin: string }) => Fate;

interface Pair {
  /** Bytes that came before the connection to the appliance was open. */
  waiting: Uint8Array[];
  up: Socket<Down> | null;
  isCut: boolean;
}

type Down = { client: Socket<Pair> };

/** A TCP proxy that loses what the test names. The browser sees real resets of real connections. */
export class BadNetwork {
  /** Asked for each request in turn. */
  fate: Fated = () => "pass";
  readonly url: string;
  readonly #listener;
  #port = 0;

  constructor() {
    this.#listener = Bun.listen<Pair>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (client) => this.#open(client),
        data: (client, bytes) => this.#send(client, bytes),
        close: ({ data }) => void data.up?.end(),
        error: () => {},
      },
    });
    this.url = `http://localhost:${this.#listener.port}`;
  }

  /** @param port the appliance's */
  lead(port: number): void {
    this.#port = port;
  }

  stop(): void {
    this.#listener.stop(true);
  }

  #open(client: Socket<Pair>): void {
    client.data = { waiting: [], up: null, isCut: false };
    Bun.connect<Down>({
      hostname: "127.0.0.1",
      port: this.#port,
      data: { client },
      socket: {
        open(up) {
          client.data.up = up;
          for (const bytes of client.data.waiting) up.write(bytes);
        },
        data(_up, bytes) {
          if (!client.data.isCut) return void client.write(bytes);
          // Enough for status and headers, and a piece of the body.
          client.write(bytes.subarray(0, bytes.length - 20));
          setTimeout(() => client.terminate(), 50);
        },
        close: () => void client.end(),
        error: () => client.terminate(),
      },
    }).catch(() => client.terminate());
  }

  #send(client: Socket<Pair>, bytes: Uint8Array): void {
    const head = /^([A-Z]+) (\S+) HTTP/.exec(new TextDecoder().decode(bytes.subarray(0, 2_000)));
    if (head) {
      const origin = /^origin: (\S+)/im.exec(new TextDecoder().decode(bytes))?.[1] ?? "";
      const fate = this.fate({ method: head[1] ?? "", path: head[2]?.split("?")[0] ?? "", origin });
      if (fate === "reset") return void client.terminate();
      if (typeof fate === "object") return void this.#answer(client, fate, origin);
      client.data.isCut = fate === "cut";
    }
    if (client.data.up) client.data.up.write(bytes);
    else client.data.waiting.push(bytes);
  }

  #answer(client: Socket<Pair>, { status, body }: { status: string; body: string }, origin: string): void {
    client.write(
      `HTTP/1.1 ${status}\r\naccess-control-allow-origin: ${origin}\r\naccess-control-allow-credentials: true\r\n` +
        "access-control-expose-headers: retry-after\r\nretry-after: 3600\r\n" +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    client.end();
  }
}

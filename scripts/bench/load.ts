/**
 * The load generator, in its own process so that it can have its own core: keep-alive connections over bare TCP, with one
 * open request on each. The benchmark controls it over IPC.
 */
import { readFileSync } from "node:fs";
import type { Socket } from "bun";
import { type Conversation, openConversation, type Script } from "./conversations.ts";

/** The requests of a run in their wire form, sent in rotation. */
export interface Target {
  port: number;
  requests: string[];
  /**
   * Each connection begins with the token of its index, and then sends the token of its previous answer. The JSON body is
   * `head` + token + `tail`.
   */
  chain?: { head: string; tokens: string[] };
  /** Replaces `requests`. The next run continues where the previous run ended. */
  script?: Script;
  /** Sent every few milliseconds on its own connection. Its latencies are counted separately. */
  probe?: { request: string; everyMs: number };
  /** The process whose CPU time counts, with all of its threads. */
  pid: number;
}

export type LoadCommand =
  | { kind: "define"; name: string; target: Target }
  | { kind: "run"; name: string; connections: number; ms: number; warmMs: number; count?: number };

export interface LoadResult {
  perSecond: number;
  /** Microseconds of the server's CPU time per request. */
  cpuMicros: number;
  /** The share of the time in which the server used a core. */
  busy: number;
  errors: number;
  firstError: string | null;
  /** Milliseconds. */
  p50: number;
  p99: number;
  probeP99: number | null;
}

interface Line {
  index: number;
  partial: Buffer | null;
  sent: number;
  probe: boolean;
}

const TICKS_PER_SECOND = 100;
const END = Buffer.from("\r\n\r\n");

/** Returns the seconds of CPU time of a process with all of its threads (proc(5), fields 14 and 15). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

class Run {
  #next = 0;
  #counting = false;
  #stopped = false;
  #done = 0;
  #total = 0;
  #underWay = 0;
  #errors = 0;
  #firstError: string | null = null;
  readonly #latencies: number[] = [];
  readonly #probes: number[] = [];
  readonly #wire: Buffer[];
  #allSent: () => void = () => undefined;

  constructor(
    private readonly target: Target,
    private readonly conversation: Conversation | undefined,
    private readonly options: { connections: number; ms: number; warmMs: number; count?: number },
  ) {
    this.#wire = target.requests.map((request) => Buffer.from(request, "latin1"));
  }

  async run(): Promise<LoadResult> {
    const { connections, ms, warmMs, count } = this.options;
    const sockets: Socket<Line>[] = [];
    for (let index = 0; index < connections; index++) sockets.push(await this.#connect(index, false));
    for (const socket of sockets) this.#send(socket, this.#request(socket.data.index));
    let timer: Timer | undefined;
    if (this.target.probe) {
      const probe = await this.#connect(-1, true);
      sockets.push(probe);
      const request = Buffer.from(this.target.probe.request, "latin1");
      timer = setInterval(() => {
        if (probe.data.sent > 0) return;
        probe.data.sent = performance.now();
        probe.write(request);
      }, this.target.probe.everyMs);
    }
    await Bun.sleep(warmMs);
    this.#counting = true;
    const begun = performance.now();
    const cpu = cpuSeconds(this.target.pid);
    if (count === undefined) await Bun.sleep(ms);
    else await new Promise<void>((resolve) => (this.#allSent = resolve));
    const seconds = (performance.now() - begun) / 1_000;
    const used = cpuSeconds(this.target.pid) - cpu;
    const done = this.#done;
    this.#counting = false;
    this.#stopped = true;
    clearInterval(timer);
    // Open requests may finish: a chain without its last answer could not continue.
    for (let waited = 0; this.#underWay > 0 && waited < 5_000; waited += 10) await Bun.sleep(10);
    for (const socket of sockets) socket.end();
    return {
      perSecond: done / seconds,
      cpuMicros: (used / Math.max(1, done)) * 1e6,
      busy: used / seconds,
      errors: this.#errors,
      firstError: this.#firstError,
      p50: quantile(this.#latencies, 0.5),
      p99: quantile(this.#latencies, 0.99),
      probeP99: this.target.probe ? quantile(this.#probes, 0.99) : null,
    };
  }

  #connect(index: number, probe: boolean): Promise<Socket<Line>> {
    return Bun.connect<Line>({
      hostname: "127.0.0.1",
      port: this.target.port,
      data: { index, partial: null, sent: 0, probe },
      socket: {
        data: (socket, chunk) => this.#receive(socket, chunk),
        close: () => {
          if (!this.#stopped) this.#fail("the server closed a connection");
        },
        error: (_socket, error) => this.#fail(error.message),
      },
    });
  }

  #send(socket: Socket<Line>, request: string | Buffer | undefined): void {
    if (request === undefined) return;
    socket.data.sent = performance.now();
    this.#underWay++;
    socket.write(request);
  }

  /** Returns the request that a line without an open request sends. */
  #request(line: number): string | Buffer | undefined {
    const { chain } = this.target;
    if (this.conversation) return this.conversation.next(line, null).request;
    if (!chain) return this.#wire[this.#next++ % this.#wire.length];
    const body = `{"refresh_token":"${chain.tokens[line]}"}`;
    return `${chain.head}content-length: ${body.length}\r\n\r\n${body}`;
  }

  #receive(socket: Socket<Line>, received: Buffer): void {
    const line = socket.data;
    const chunk = line.partial ? Buffer.concat([line.partial, received]) : received;
    const end = chunk.indexOf(END);
    if (end === -1) {
      line.partial = line.partial ? chunk : Buffer.from(chunk);
      return;
    }
    const length = contentLength(chunk.toString("latin1", 0, end));
    if (chunk.length < end + 4 + length) {
      line.partial = line.partial ? chunk : Buffer.from(chunk);
      return;
    }
    line.partial = null;
    // "HTTP/1.1 2xx"
    const isRight = chunk[9] === 50;
    if (!isRight) this.#fail(chunk.toString("latin1", 0, 900));
    const took = performance.now() - line.sent;
    if (line.probe) {
      line.sent = 0;
      if (this.#counting) this.#probes.push(took);
      return;
    }
    this.#underWay--;
    // A conversation cannot continue from a refusal.
    const body = isRight ? chunk.toString("latin1", end + 4) : null;
    const said = this.#stopped ? undefined : this.conversation?.next(line.index, body);
    if (said && !said.isDone) {
      this.#underWay++;
      socket.write(said.request);
      return;
    }
    if (this.target.chain) this.#keepToken(line.index, chunk.toString("latin1", end));
    this.#total++;
    if (this.#counting) {
      this.#done++;
      if ((this.#done & 15) === 0) this.#latencies.push(took);
    }
    if (this.options.count !== undefined && this.#total >= this.options.count) this.#allSent();
    if (!this.#stopped) this.#send(socket, said?.request ?? this.#request(line.index));
  }

  #keepToken(index: number, body: string): void {
    const start = body.indexOf('"refresh_token":"') + 17;
    const token = start === 16 ? "" : body.slice(start, body.indexOf('"', start));
    if (token && this.target.chain) this.target.chain.tokens[index] = token;
  }

  #fail(what: string): void {
    this.#errors++;
    this.#firstError ??= what;
  }
}

function contentLength(head: string): number {
  const at = head.search(/\r\ncontent-length: ?/i);
  return at === -1 ? 0 : Number.parseInt(head.slice(head.indexOf(":", at) + 1), 10);
}

function quantile(values: number[], q: number): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

const targets = new Map<string, Target>();
const conversations = new Map<string, Conversation>();
process.on("message", async (command: LoadCommand) => {
  if (command.kind === "define") {
    const { name, target } = command;
    targets.set(name, target);
    if (target.script) conversations.set(name, openConversation(target.script));
    else conversations.delete(name);
    process.send?.({ ok: true });
    return;
  }
  const target = targets.get(command.name);
  if (!target) throw new Error(`${command.name} was not defined`);
  process.send?.({ result: await new Run(target, conversations.get(command.name), command).run() });
});
process.on("disconnect", () => process.exit());

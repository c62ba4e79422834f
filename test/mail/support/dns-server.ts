import { createSocket, type Socket } from "node:dgram";
import type { AddressInfo } from "node:net";

const TXT = 16;
const NO_SUCH_NAME = 3;

/** A name server on this machine (RFC 1035) that answers with the published TXT records over UDP. */
export class DnsServer implements AsyncDisposable {
  /** Requested names, in lower case. */
  readonly asked: string[] = [];
  #records: Readonly<Record<string, readonly string[]>> = {};

  private constructor(private readonly socket: Socket) {
    socket.on("message", (query, { port, address }) => socket.send(this.#answer(query), port, address));
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new DnsServer(socket);
  }

  /** The value for `--dns-server`. */
  get address(): string {
    return `127.0.0.1:${(this.socket.address() as AddressInfo).port}`;
  }

  /** Publishes TXT records by name, and removes all others. */
  publish(records: Readonly<Record<string, string | readonly string[]>>): void {
    this.#records = Object.fromEntries(Object.entries(records).map(([name, value]) => [name, [value].flat()]));
  }

  #answer(query: Buffer): Buffer {
    const { name, end } = readName(query);
    this.asked.push(name);
    const texts = query.readUInt16BE(end) === TXT ? this.#records[name] : undefined;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (texts ? 0 : NO_SUCH_NAME), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(texts?.length ?? 0, 6);
    return Buffer.concat([header, query.subarray(12, end + 4), ...(texts ?? []).map(record)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

/** Splits the text into strings of at most 200 octets, because a long record has several. */
function record(text: string): Buffer {
  const bytes = Buffer.from(text);
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 200) {
    const part = bytes.subarray(at, at + 200);
    strings.push(Buffer.from([part.length]), part);
  }
  const data = Buffer.concat(strings);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TXT, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

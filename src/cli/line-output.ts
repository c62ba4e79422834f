import { writeSync } from "node:fs";
import { type Writable, writableOf } from "./writable.ts";

/** Bytes that wait for a reader. Further lines are dropped. */
const ROOM = 1_048_576;
/** Additional bytes for lines that must not be dropped. */
const RESERVE = 65_536;
/** PIPE_BUF on Linux: when poll(2) calls a pipe writable, a write of this size does not wait. */
const PIECE = 4_096;
/** Milliseconds between two attempts while the reader is behind. */
const PAUSE = 10;
/** Milliseconds that a line waits which must not be dropped. */
const PATIENCE = 1_000;

interface Entry {
  bytes: Buffer;
  /** Lines that are lost with this entry: 1, or the number that a notice tells. */
  lines: number;
  isNotice: boolean;
}

/**
 * Writes lines to a file, a pipe or a terminal, and never waits for the reader: a log reader that has stopped must not stop the
 * server. Lines that the reader does not take wait in memory. When their room is used up, later lines are dropped and counted,
 * and a notice with their number follows when half of the room is free again. A full disk or a reader that has gone loses lines in
 * the same way.
 */
export class LineOutput {
  readonly #writable: Writable;
  readonly #queue: Entry[] = [];
  #bytes = 0;
  /** Bytes of the first entry that are written. */
  #done = 0;
  /** Whether the last bytes written are the beginning of a line whose end is lost. */
  #isTorn = false;
  #unreported = 0;
  #isWaiting = false;
  /** Lines dropped since the start. */
  dropped = 0;

  /** @param options.notice makes the line that tells how many lines were dropped */
  constructor(private readonly options: { fd: number; notice: (lines: number) => string }) {
    this.#writable = writableOf(options.fd);
  }

  write(line: string): void {
    this.#report();
    this.#add({ bytes: Buffer.from(`${line}\n`), lines: 1, isNotice: false }, ROOM);
    this.#drain();
    this.#tryLater();
  }

  /** Writes a line that must not be dropped, and waits up to a second for the reader. */
  writeNow(line: string): void {
    this.#add({ bytes: Buffer.from(`${line}\n`), lines: 1, isNotice: false }, ROOM + RESERVE, true);
    this.flush();
    this.#tryLater();
  }

  /** Writes the waiting lines, and waits up to a second for the reader. For the end of the process. */
  flush(): void {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const before = this.#bytes - this.#done;
      this.#drain();
      const left = end - performance.now();
      if (this.#queue.length === 0 || left <= 0) return;
      // Another process may have made the pipe non-blocking and may fill it first.
      if (this.#bytes - this.#done === before) Bun.sleepSync(1);
      if (!this.#writable(Math.ceil(left))) return;
    }
  }

  #add(entry: Entry, room: number, isUrgent = false): void {
    const isFull = this.#queue.length > 0 && this.#bytes + entry.bytes.length > room;
    if (isFull || (this.#unreported > 0 && !isUrgent)) {
      this.#lose(entry);
      return;
    }
    if (this.#isTorn && this.#queue.length === 0) entry.bytes = Buffer.concat([Buffer.from("\n"), entry.bytes]);
    this.#queue.push(entry);
    this.#bytes += entry.bytes.length;
  }

  #lose({ lines, isNotice }: Entry): void {
    this.#unreported += lines;
    if (!isNotice) this.dropped += lines;
  }

  /** Queues the notice of dropped lines, once there is room for many lines again. */
  #report(): void {
    if (this.#unreported === 0 || this.#bytes > ROOM / 2) return;
    const lines = this.#unreported;
    this.#unreported = 0;
    this.#add({ bytes: Buffer.from(`${this.options.notice(lines)}\n`), lines, isNotice: true }, ROOM);
  }

  /** Writes as much as the reader takes at once. */
  #drain(): void {
    for (let first = this.#queue[0]; first; first = this.#queue[0]) {
      if (!this.#writable(0)) return;
      if (!this.#writePiece(first)) return;
      if (this.#queue.length === 0) this.#report();
    }
  }

  /** @returns whether another piece may follow */
  #writePiece(entry: Entry): boolean {
    try {
      const size = Math.min(PIECE, entry.bytes.length - this.#done);
      this.#done += writeSync(this.options.fd, entry.bytes, this.#done, size);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return false;
      // The reader has gone, or the disk is full. A request must not fail because its line cannot be written.
      this.#isTorn ||= this.#done > 0;
      for (const lost of this.#queue.splice(0)) this.#lose(lost);
      this.#bytes = 0;
      this.#done = 0;
      return false;
    }
    if (this.#done < entry.bytes.length) return true;
    this.#queue.shift();
    this.#bytes -= entry.bytes.length;
    this.#done = 0;
    this.#isTorn = false;
    return true;
  }

  #tryLater(): void {
    if (this.#isWaiting || this.#queue.length === 0) return;
    this.#isWaiting = true;
    setTimeout(() => {
      this.#isWaiting = false;
      this.#report();
      this.#drain();
      this.#tryLater();
    }, PAUSE).unref();
  }
}

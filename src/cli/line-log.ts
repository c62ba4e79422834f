import { writeSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { toWireTime } from "../core/clock.ts";
import type { Log } from "../core/log.ts";

const LEVELS = ["debug", "info", "warn", "error", "fatal"] as const;
type Level = (typeof LEVELS)[number];

/** Causes of an error that its line tells. An error may be its own cause. */
const MAX_CAUSES = 5;
/** Milliseconds between two attempts at a pipe that is full. */
const PAUSE = 5;

/**
 * Writes JSON lines: level, time, the fields and the message. Each line is written before the call returns, so that the last
 * line of a process that ends is not lost.
 */
export class LineLog implements Log {
  readonly #least: number;

  /** @param options.level lines below it are left out; `silent` leaves out all */
  constructor(private readonly options: { level: string; fd: number; clock: Clock }) {
    const least = LEVELS.indexOf(options.level as Level);
    this.#least = least === -1 ? LEVELS.length : least;
  }

  debug(fields: object, message: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#write("error", fields, message);
  }

  fatal(fields: object, message: string): void {
    this.#write("fatal", fields, message);
  }

  #write(level: Level, fields: object, message: string): void {
    if (LEVELS.indexOf(level) < this.#least) return;
    const time = toWireTime(this.options.clock.now());
    writeAll(this.options.fd, Buffer.from(`${textOf({ level, time }, fields, message)}\n`));
  }
}

function textOf(head: object, fields: object, msg: string): string {
  try {
    return JSON.stringify({ ...head, ...fields, msg }, plain);
  } catch {
    // A field that contains itself. The message is worth more than the field.
    return JSON.stringify({ ...head, msg });
  }
}

/** Turns the values that JSON cannot hold into text. */
function plain(_: string, value: unknown): unknown {
  if (value instanceof Error) return errorOf(value, MAX_CAUSES);
  return typeof value === "bigint" ? String(value) : value;
}

function errorOf(error: Error, causes: number): Record<string, unknown> {
  const { name: type, message, stack, cause } = error;
  const { code } = error as NodeJS.ErrnoException;
  return {
    type,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(cause instanceof Error && causes > 0 ? { cause: errorOf(cause, causes - 1) } : {}),
  };
}

/** Writes to the end. Where another process has made the pipe non-blocking, a full pipe is an error that passes. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      // The reader has gone, or the disk is full. A request must not fail because its line cannot be written.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

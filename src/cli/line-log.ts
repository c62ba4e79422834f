import type { Clock } from "../core/clock.ts";
import { toWireTime } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { LineOutput } from "./line-output.ts";

const LEVELS = ["debug", "info", "warn", "error", "fatal"] as const;
type Level = (typeof LEVELS)[number];

/** Causes of an error that its line tells. An error may be its own cause. */
const MAX_CAUSES = 5;

/** Makes the place for the lines of one file descriptor. Logs that share a descriptor share its output. */
export function logOutput(fd: number, clock: Clock): LineOutput {
  const notice = (lines: number) => {
    const msg = `${lines} lines were dropped, because the reader of the log was too slow or the disk was full.`;
    return JSON.stringify({ level: "warn", time: toWireTime(clock.now()), dropped: lines, msg });
  };
  return new LineOutput({ fd, notice });
}

/** Writes JSON lines: level, time, the fields and the message. A line of level `fatal` is written before the call returns. */
export class LineLog implements Log {
  readonly #least: number;

  /** @param options.level lines below it are left out; `silent` leaves out all */
  constructor(private readonly options: { level: string; output: LineOutput; clock: Clock }) {
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
    const line = textOf({ level, time }, fields, message);
    if (level === "fatal") this.options.output.writeNow(line);
    else this.options.output.write(line);
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

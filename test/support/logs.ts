import type { Log } from "../../src/core/log.ts";

export interface LogLine {
  level: keyof Log;
  fields: Record<string, unknown>;
  message: string;
}

/** Keeps what the application logs. */
export class CapturedLog implements Log {
  readonly lines: LogLine[] = [];

  debug(fields: object, message: string): void {
    this.#keep("debug", fields, message);
  }
  info(fields: object, message: string): void {
    this.#keep("info", fields, message);
  }
  warn(fields: object, message: string): void {
    this.#keep("warn", fields, message);
  }
  error(fields: object, message: string): void {
    this.#keep("error", fields, message);
  }
  fatal(fields: object, message: string): void {
    this.#keep("fatal", fields, message);
  }

  /** Returns everything as text, including the messages of errors, so that tests can search it for secrets. */
  text(): string {
    return JSON.stringify(this.lines, (_key, value) =>
      value instanceof Error ? { name: value.name, message: value.message, cause: value.cause } : value,
    );
  }

  #keep(level: keyof Log, fields: object, message: string): void {
    this.lines.push({ level, fields: { ...fields }, message });
  }
}

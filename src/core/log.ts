/** The log. `fields` never hold a secret, a token or a password. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Logs why the process cannot go on, before it ends. */
  fatal(fields: object, message: string): void;
}

/** Where the log goes. `fields` never hold a secret, a token or a password. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The process cannot go on, and says why before it ends. */
  fatal(fields: object, message: string): void;
}

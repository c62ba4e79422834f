import type { Log } from "../../core/log.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { AnsweredRequest, ClosedAnswer } from "../../http/request-log.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";
import type { CaughtMail } from "../../mail/inbox.ts";
import { actsText, actText } from "./act-text.ts";
import { ActsByRequest } from "./acts.ts";
import type { DevLog } from "./dev-log.ts";
import { harmless, type Paint } from "./paint.ts";
import { atTime, closedLine, INDENT, isNoise, requestLine } from "./request-line.ts";

export interface TerminalLogOptions {
  write(line: string): void;
  paint: Paint;
  now(): number;
  /** Returns the command that allows a refused request. */
  mendOf(request: AnsweredRequest): string | null;
  /** Whether to show `info` and `debug` lines of the application. */
  isVerbose: boolean;
}

/** Milliseconds for which lines like the last one are held back and counted. */
const HELD_FOR = 1_000;

/** The log of `dev` for people: a line for each request, and below it its mails and the fix of a refusal. */
export class TerminalLog implements DevLog {
  readonly log: Log;
  readonly #acts = new ActsByRequest();
  /** The cause of a failed request, by the id of the request. */
  readonly #causes = new RecentMap<string>(100);
  #last = "";
  #held: string[][] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly options: TerminalLogOptions) {
    const silent = () => undefined;
    const say = (word: string) => (fields: object, message: string) => this.#say(word, fields, message);
    const verbose = (word: string) => (options.isVerbose ? say(word) : silent);
    this.log = {
      debug: verbose("debug"),
      info: verbose("info"),
      warn: say("warn"),
      error: say("error"),
      fatal: say("fatal"),
    };
  }

  answered(request: AnsweredRequest): void {
    const acts = this.#acts.take(request.requestId);
    if (isNoise(request)) return;
    const told = actsText(acts);
    const { paint } = this.options;
    const block = [requestLine(request, told, paint)];
    const mend = this.options.mendOf(request);
    if (mend !== null) block.push(`${INDENT}${paint.underline("mend")}  ${mend}`);
    const cause = this.#causes.get(request.requestId);
    if (request.status >= 500) {
      block.push(`${INDENT}id    ${request.requestId}`);
      if (cause) block.push(`${INDENT}why   ${cause}`);
    }
    this.#print(block, [requestLine({ ...request, ms: 0 }, told, paint), mend, cause].join("\n"));
  }

  closed(request: ClosedAnswer): void {
    this.#print([closedLine(request, this.options.paint)]);
  }

  audited(act: AuditedAct): void {
    if (!this.#acts.add(act)) this.#print([`act   ${actText(act)}`]);
  }

  caught({ to, subject, code, link }: CaughtMail): void {
    const parts = [link === null ? "" : "link", code === null ? "" : `code ${code}`].filter((part) => part !== "");
    const holds = parts.length === 0 ? "" : `${parts.join(" and ")}, `;
    this.flush();
    this.options.write(`${INDENT}mail  to ${harmless(to).padEnd(27)} ${holds}"${harmless(subject)}"`);
    if (link !== null) this.options.write(`${INDENT}      ${this.options.paint.underline(harmless(link))}`);
    this.#last = "";
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const held = this.#held.splice(0);
    if (held.length === 1) for (const line of held[0] ?? []) this.options.write(line);
    if (held.length > 1) this.options.write(`${INDENT}… ${held.length} more like it`);
  }

  /** @param likeness equal for lines that say the same; a line with an empty likeness never repeats another */
  #print([first = "", ...below]: string[], likeness = ""): void {
    const block = [atTime(this.options.now()) + first, ...below];
    if (likeness !== "" && likeness === this.#last) {
      this.#held.push(block);
      this.#timer ??= setTimeout(() => this.flush(), HELD_FOR);
      return;
    }
    this.flush();
    this.#last = likeness;
    for (const text of block) this.options.write(text);
  }

  /** Prints the error of a request below the line of that request. */
  #say(word: string, fields: object, message: string): void {
    const { request_id: id, err } = fields as { request_id?: unknown; err?: unknown };
    const cause = err instanceof Error ? harmless(err.message.split("\n")[0] ?? "") : null;
    if (typeof id === "string" && cause !== null) this.#causes.set(id, cause);
    else this.#print([`${word.padEnd(5)} ${harmless(message)}${cause === null ? "" : ` (${cause})`}`]);
  }
}

import type { AnsweredRequest, ClosedAnswer } from "../../http/request-log.ts";
import type { Paint } from "./paint.ts";
import { refusalText, waitText } from "./refusal-text.ts";

const METHODS: Readonly<Record<string, string>> = { OPTIONS: "OPTS", DELETE: "DEL" };
/** Indents a line that belongs to the line above. */
export const INDENT = " ".repeat(12);

/** Returns the text after its time, `18:04:02  `, in a column of fixed width. */
export function atTime(ms: number): string {
  const time = new Date(ms);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `  ${parts.map((part) => String(part).padStart(2, "0")).join(":")}  `;
}

/** Formats a request, after its time. @param told its acts in words */
export function requestLine(request: AnsweredRequest, told: string, paint: Paint): string {
  const took = request.isOpen ? "open" : `${Math.round(request.ms)} ms`;
  return line(request, took.padStart(8), request.error === null ? told : refusalText(request), paint);
}

/** Formats the end of a streamed answer. */
export function closedLine(request: ClosedAnswer, paint: Paint): string {
  return line(request, waitText(request.ms / 1_000).padStart(8), `closed by the ${request.closedBy}`, paint);
}

function line(request: AnsweredRequest, took: string, text: string, paint: Paint): string {
  const { method, path, status } = request;
  const colour = status >= 500 ? paint.red : status >= 400 ? paint.yellow : (plain: string) => plain;
  const where = `${(METHODS[method] ?? method).padEnd(5)} ${shortIds(path).padEnd(30)}`;
  return `${where} ${colour(String(status))} ${took}${text === "" ? "" : `  ${colour(text)}`}`;
}

/** Shortens every id in a path to its first characters, so that lines keep one shape. */
function shortIds(path: string): string {
  return path.replaceAll(
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[a-z]{3}_[0-9A-Za-z]{26}/gi,
    (id) => `${id.slice(0, 12)}…`,
  );
}

/** Returns whether a page, a probe or a poll sent the request as part of its routine. */
export function isNoise({ method, path, status }: AnsweredRequest): boolean {
  if (status >= 500) return false;
  if (/^\/(healthz|readyz|metrics|favicon\.(ico|svg))$/.test(path)) return true;
  if (method !== "GET" && method !== "HEAD") return false;
  return /^\/(assets|dev)\/|^\/try\/./.test(path) && path !== "/dev/inbox";
}

import type { AnsweredRequest, ClosedAnswer } from "../../http/request-log.ts";
import type { Paint } from "./paint.ts";
import { refusalText, waitText } from "./refusal-text.ts";

const METHODS: Readonly<Record<string, string>> = { OPTIONS: "OPTS", DELETE: "DEL" };
/** Before a line that belongs to the one above. */
export const INDENT = " ".repeat(12);

/** `18:04:02  ` and what happened, in the width that a time takes. */
export function atTime(ms: number): string {
  const time = new Date(ms);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `  ${parts.map((part) => String(part).padStart(2, "0")).join(":")}  `;
}

/** A request after its time. @param told its acts in words */
export function requestLine(request: AnsweredRequest, told: string, paint: Paint): string {
  const took = request.isOpen ? "open" : `${Math.round(request.ms)} ms`;
  return line(request, took.padStart(8), request.error === null ? told : refusalText(request), paint);
}

/** The end of an answer that was open. */
export function closedLine(request: ClosedAnswer, paint: Paint): string {
  return line(request, waitText(request.ms / 1_000).padStart(8), `closed by the ${request.closedBy}`, paint);
}

function line(request: AnsweredRequest, took: string, text: string, paint: Paint): string {
  const { method, path, status } = request;
  const colour = status >= 500 ? paint.red : status >= 400 ? paint.yellow : (plain: string) => plain;
  const where = `${(METHODS[method] ?? method).padEnd(5)} ${shortIds(path).padEnd(30)}`;
  return `${where} ${colour(String(status))} ${took}${text === "" ? "" : `  ${colour(text)}`}`;
}

/** Every id in a path by its first characters: a line is read by its shape. */
function shortIds(path: string): string {
  return path.replaceAll(
    /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[a-z]{3}_[0-9A-Za-z]{26}/gi,
    (id) => `${id.slice(0, 12)}…`,
  );
}

/** Whether a request is part of the noise of a page, of a probe or of a poll. */
export function isNoise({ method, path, status }: AnsweredRequest): boolean {
  if (status >= 500) return false;
  if (/^\/(healthz|readyz|metrics|favicon\.(ico|svg))$/.test(path)) return true;
  if (method !== "GET" && method !== "HEAD") return false;
  return /^\/(assets|dev)\/|^\/try\/./.test(path) && path !== "/dev/inbox";
}

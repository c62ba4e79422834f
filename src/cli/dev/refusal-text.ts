import type { AnsweredRequest } from "../../http/request-log.ts";
import { harmless } from "./paint.ts";

/** Returns the code and the meaning of a refusal; empty unless the request was refused. */
export function refusalText(request: AnsweredRequest): string {
  const meaning = refusalMeaning(request);
  return [request.error?.code ?? "", meaning ?? ""].filter((part) => part !== "").join(", ");
}

/** Explains a refusal to the developer who caused it. Shows no value of a body. Returns null if the code says everything. */
export function refusalMeaning({ error, page, address }: AnsweredRequest): string | null {
  if (error === null) return null;
  const { details, retryAfter } = error;
  switch (error.code) {
    case "internal_error":
      return null;
    case "origin_not_allowed":
      return page === null ? "no Origin header" : harmless(page);
    case "rate_limited":
      return `from ${address}${retryAfter === undefined ? "" : `, again in ${waitText(retryAfter)}`}`;
    case "insufficient_scope":
      return lacking(details) ?? error.message;
    default:
      return problems(details) ?? harmless(error.message);
  }
}

/** Formats seconds for people. */
export function waitText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}

type Details = NonNullable<AnsweredRequest["error"]>["details"];

function problems(details: Details): string | null {
  if (!Array.isArray(details) || details.length === 0) return null;
  return harmless(details.map(({ path, reason }) => (path === "" ? reason : `${path}: ${reason}`)).join("; "));
}

function lacking(details: Details): string | null {
  if (details === undefined || Array.isArray(details) || typeof details.scope !== "string") return null;
  return `the credential lacks ${details.scope}`;
}

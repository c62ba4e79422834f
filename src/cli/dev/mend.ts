import { toPrefixedId } from "../../core/ids.ts";
import type { AnsweredRequest } from "../../http/request-log.ts";
import type { CommandContext } from "../command.ts";
import { dataFlagFor } from "./find-data.ts";

/** A plain origin. The caller wrote it, and only such an origin may enter a command that somebody pastes. */
const ORIGIN = /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;

/**
 * Finds the command that lets the page of a refused request call.
 * @param dataDirectory null for data in memory, which no second process can change
 * @returns null for a request that was not refused for its page
 */
export function mendOf(context: CommandContext, dataDirectory: string | null, request: AnsweredRequest): string | null {
  const { error, page, applicationId } = request;
  if (error?.code !== "origin_not_allowed" || page === null || applicationId === null) return null;
  if (!ORIGIN.test(page)) return "serve that page by http or https: only such an origin can be allowed";
  if (dataDirectory === null)
    return `start ${context.command} dev without --ephemeral, where a command can allow ${page}`;
  const data = dataFlagFor(context, dataDirectory);
  return `${context.command} app set ${toPrefixedId("application", applicationId)} --add-origin ${page}${data}`;
}

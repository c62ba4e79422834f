import { toPrefixedId } from "../../core/ids.ts";
import type { AnsweredRequest } from "../../http/request-log.ts";
import type { CommandContext } from "../command.ts";
import { dataFlagFor } from "./find-data.ts";

/** Matches a plain origin. The caller wrote it, and only a plain origin may enter a command that a person pastes. */
const ORIGIN = /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/;

/**
 * Finds the command that allows the page of a refused request.
 * @param dataDirectory null for data in memory, which no second process can change
 * @returns null unless the request was refused because of its page
 */
export function mendOf(context: CommandContext, dataDirectory: string | null, request: AnsweredRequest): string | null {
  const { error, page, applicationId } = request;
  if (error?.code !== "origin_not_allowed" || page === null || applicationId === null) return null;
  if (!ORIGIN.test(page)) return "serve that page over http or https: no other origin can be allowed";
  if (dataDirectory === null)
    return `start ${context.command} dev without --ephemeral, where a command can allow ${page}`;
  const data = dataFlagFor(context, dataDirectory);
  return `${context.command} app set ${toPrefixedId("application", applicationId)} --add-origin ${page}${data}`;
}

import { type IdKind, toPrefixedId } from "../../core/ids.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";
import { harmless } from "./paint.ts";

const KINDS: Readonly<Record<string, IdKind>> = {
  user: "user",
  session: "session",
  key: "apiKey",
  api_key: "apiKey",
  application: "application",
  client: "application",
  tenant: "tenant",
  passkey: "passkey",
  resource: "resource",
};

/** Returns `usr_01MJHR6Z30E2YTT4R1WQQP0WWC` if the kind has a prefix, and null without an id. */
export function nameOf(thing: { kind: string; id: string | null } | null): string | null {
  if (thing?.id == null) return null;
  const kind = KINDS[thing.kind];
  return kind === undefined ? `${thing.kind} ${harmless(thing.id)}` : toPrefixedId(kind, thing.id);
}

/** Describes an act of the audit log in a few words, beginning with its actor. */
export function actText(act: AuditedAct): string {
  const { details } = act;
  const actor = nameOf(act.actor) ?? act.actor.kind;
  switch (act.action) {
    case "user.created":
      return `${nameOf(act.target) ?? actor} signed up by ${word(details.method)}`;
    case "session.created":
      return `${actor} signed in by ${word(details.method)}, ${word(details.aal)}`;
    case "api_key.created":
      return `${nameOf(act.target)} made by ${actor} "${word(details.name)}"`;
    default:
      return `${actor} ${act.action.replaceAll(/[._]/g, " ")}${targetText(act)}`;
  }
}

/** Describes the acts of a request. Omits a sign-in that follows a sign-up, and refusals, which the error shows. */
export function actsText(acts: readonly AuditedAct[]): string {
  const signsUp = acts.some(({ action }) => action === "user.created");
  return acts
    .filter(({ action }) => !(signsUp && action === "session.created") && !/\.(refused|throttled)$/.test(action))
    .map(actText)
    .filter((text, index, all) => all.indexOf(text) === index)
    .join("; ");
}

function targetText({ actor, target }: AuditedAct): string {
  const name = target?.id === actor.id ? null : nameOf(target);
  return name === null ? "" : ` ${name}`;
}

function word(value: unknown): string {
  return typeof value === "string" ? harmless(value) : "?";
}

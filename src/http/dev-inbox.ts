import { toWireTime } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import type { CaughtMail, Inbox } from "../mail/inbox.ts";
import type { Sender } from "../mail/sender.ts";
import type { Edge, Handler } from "./edge.ts";
import { inboxPage } from "./inbox-page.ts";
import { queryOf } from "./request-target.ts";

/**
 * Lets a mail's HTML run no script, submit no form and load nothing, and gives it an origin of its own. Its links open
 * in new windows, which have no such limits.
 */
const MAIL_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; " +
  "sandbox allow-popups allow-popups-to-escape-sandbox";

/**
 * Serves the mails that `sallyport dev` has caught to people and tests. Anyone who reads them can sign in as any user,
 * so they are never served at a public address, and `serve` has no such route.
 * @returns handlers by path and method
 */
export function devInboxHandlers(inbox: Inbox, edge: Edge): Record<string, Record<string, Handler>> {
  const { page, assets } = inboxPage();
  const run = crypto.randomUUID();
  let whole = { version: -1, text: "" };
  const everything = () => {
    if (whole.version !== inbox.version) whole = { version: inbox.version, text: listText(inbox.list()) };
    return whole.text;
  };
  const list: Handler = (exchange) => {
    const to = queryOf(exchange.request.url).get("to");
    // The page polls every two seconds, and mostly already has the answer.
    const etag = `"${run}-${inbox.version}-${to === null ? "all" : Bun.hash(to)}"`;
    Object.assign(exchange.headers, { etag, "cache-control": "no-cache" });
    if (exchange.request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers: exchange.headers });
    }
    return edge.text(exchange, 200, to === null ? everything() : listText(inbox.list(to)));
  };
  const empty: Handler = (exchange) => {
    const origin = exchange.request.headers.get("origin");
    if (origin !== null && !edge.hosts.isOwnOrigin(origin, DEFAULT_TENANT_SLUG))
      throw new AppError("origin_not_allowed");
    inbox.empty();
    return edge.json(exchange, 200, { status: "success" });
  };
  const mail: Handler = (exchange) => {
    const found = inbox.find(exchange.request.params?.id ?? "");
    if (!found) throw new AppError("not_found");
    const headers = {
      ...exchange.headers,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": MAIL_POLICY,
    };
    return new Response(found.html.replace("<head>", '<head><base target="_blank">'), { headers });
  };
  const handlers: Record<string, Record<string, Handler>> = {
    "/dev/inbox": { GET: page },
    "/dev/inbox.json": { GET: list, DELETE: empty },
    "/dev/inbox/:id": { GET: mail },
  };
  for (const [path, handler] of Object.entries(assets)) handlers[path] = { GET: handler };
  return handlers;
}

function listText(mails: readonly CaughtMail[]): string {
  return JSON.stringify({ data: mails.map(toWire) });
}

function toWire(mail: CaughtMail) {
  return {
    id: mail.id,
    to: mail.to,
    from: mailbox(mail.from),
    reply_to: mail.replyTo === null ? null : mailbox(mail.replyTo),
    subject: mail.subject,
    language: mail.language,
    code: mail.code,
    link: mail.link,
    text: mail.text,
    html: mail.html,
    created_at: toWireTime(mail.createdAt),
  };
}

const mailbox = ({ name, address }: Sender) => (name === "" ? address : `${name} <${address}>`);

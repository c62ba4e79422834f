import style from "../../web/inbox/inbox.css" with { type: "text" };
import page from "../../web/inbox/index.html" with { type: "text" };
// Imported as text: browsers run it, the server does not.
import * as main from "../../web/inbox/main.ts" with { type: "text" };
import { asset, pageHandler, renderPage } from "./assets.ts";
import type { Handler } from "./edge.ts";
import { kitStylesheet } from "./kit.ts";
import { scriptAssets } from "./page-script.ts";

const POLICY = {
  "script-src": "'self'",
  "connect-src": "'self'",
  // Frames show the mails, which have their own policy.
  "frame-src": "'self'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "'none'",
};

/**
 * Builds the page of the inbox.
 * @returns the page's handler, and the handlers of its assets by path
 */
export function inboxPage(): { page: Handler; assets: Record<string, Handler> } {
  const scripts = scriptAssets([{ name: "inbox-main.js", specifier: "./main.ts", source: main }]);
  const assets = [kitStylesheet(), asset("inbox.css", style), ...scripts];
  return {
    page: pageHandler(renderPage(page, {}, assets), POLICY),
    assets: Object.fromEntries(assets.map(({ path, handler }) => [path, handler])),
  };
}

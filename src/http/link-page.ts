// Imported as text, one module at a time: browsers load each at an address made of its content.
import * as calls from "../../web/link/calls.ts" with { type: "text" };
import page from "../../web/link/index.html" with { type: "text" };
import style from "../../web/link/link.css" with { type: "text" };
import * as main from "../../web/link/main.ts" with { type: "text" };
import * as secondFactor from "../../web/link/second-factor.ts" with { type: "text" };
import * as texts from "../../web/link/texts.ts" with { type: "text" };
import * as views from "../../web/link/views.ts" with { type: "text" };
import { asset, pageHandler, renderPage } from "./assets.ts";
import type { Handler } from "./edge.ts";
import { kitStylesheet } from "./kit.ts";
import { scriptAssets } from "./page-script.ts";

/**
 * Allows the page's own scripts and calls to its own origin, and refuses text that would be parsed as HTML (Trusted
 * Types).
 */
const POLICY = {
  "script-src": "'self'",
  "connect-src": "'self'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "'none'",
};

/**
 * Serves the page that links in mails open. A GET sends the same bytes to everyone and uses up nothing: the token is in
 * the fragment, which never reaches a server, and the page acts when the user presses its button. So a scanner that
 * follows every link, or even runs its script, leaves the link valid.
 * @returns the page's handler, and the handlers of its assets by path
 */
export function linkPage(): { page: Handler; assets: Record<string, Handler> } {
  const stylesheet = asset("link.css", style);
  const scripts = scriptAssets([
    { name: "link-texts.js", specifier: "./texts.ts", source: texts },
    { name: "link-calls.js", specifier: "./calls.ts", source: calls },
    { name: "link-views.js", specifier: "./views.ts", source: views },
    { name: "link-second-factor.js", specifier: "./second-factor.ts", source: secondFactor },
    { name: "link-main.js", specifier: "./main.ts", source: main },
  ]);
  const assets = [kitStylesheet(), stylesheet, ...scripts];
  const html = pageHandler(renderPage(page, {}, assets), POLICY);
  return {
    page: (exchange) => {
      // No other window may keep a reference to this window.
      exchange.headers["cross-origin-opener-policy"] = "same-origin";
      return html(exchange);
    },
    assets: Object.fromEntries(assets.map(({ path, handler }) => [path, handler])),
  };
}

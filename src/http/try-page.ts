import page from "../../web/try/index.html" with { type: "text" };
import style from "../../web/try/try.css" with { type: "text" };
import { AppError } from "../core/errors.ts";
import { toPrefixedId } from "../core/ids.ts";
import type { Identity } from "../identity/identity.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import components from "../sdk/react/components.css" with { type: "text" };
import { type Asset, asset, fileHandler, pageHandler, renderPage } from "./assets.ts";
import type { Handler } from "./edge.ts";
import { kitStylesheet } from "./kit.ts";

const POLICY = {
  "script-src": "'self'",
  "connect-src": "'self'",
  "require-trusted-types-for": "'script'",
  "trusted-types": "'none'",
};

/** The script's address contains no hash of its content, so that the bundle is built at the first request. */
function scriptAsset(): Asset {
  const name = "try-main.js";
  let made: Promise<Handler> | undefined;
  const handler: Handler = async (exchange) => {
    made ??= import("./try-script.ts").then(({ tryScript }) => fileHandler(name, tryScript));
    return (await made)(exchange);
  };
  return { name, path: `/assets/${name}`, handler };
}

/**
 * Serves a sign-in page of this instance with its mails beside it, for the first minutes with `sallyport dev`. `serve`
 * has no such page, because it shows the mails of all users. Users sign in to the default application, which is the one
 * that `dev` prints for the SDKs.
 * @returns GET handlers by path
 */
export function tryHandlers({ directory }: Identity): Record<string, Handler> {
  const assets = [kitStylesheet(), asset("components.css", components), asset("try.css", style), scriptAsset()];
  const show: Handler = async (exchange) => {
    const tenant = await directory.tenantBySlug(DEFAULT_TENANT_SLUG);
    const application = tenant?.defaultApplicationId ? await directory.application(tenant.defaultApplicationId) : null;
    if (!application) throw new AppError("not_found");
    const values = {
      application_id: toPrefixedId("application", application.id),
      application: application.name,
      methods: [...application.signInMethods].join(" "),
      host: new URL(directory.publicUrl).host,
    };
    return pageHandler(renderPage(page, values, assets), POLICY)(exchange);
  };
  return { "/try": show, ...Object.fromEntries(assets.map(({ path, handler }) => [path, handler])) };
}

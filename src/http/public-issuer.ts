import { AppError } from "../core/errors.ts";
import { parseId, requireId } from "../core/ids.ts";
import { exactText } from "../core/text.ts";
import * as z from "../core/zod.ts";
import { admitPublicKey } from "../identity/customer-tokens/public-issuer.ts";
import type { Identity } from "../identity/identity.ts";
import { readJson } from "./body.ts";
import type { Cors } from "./cors.ts";
import type { Edge, Handler } from "./edge.ts";
import { parseBasic } from "./oauth/client-authentication.ts";

export const publicTokenInput = z.strictObject({
  user_id: exactText(255).describe("The user's id in your own system, as a string."),
});

/** Serves `POST /v1/tenants/<tenant>/issuers/public/auth/token`, for apps without a backend that could sign a token. */
export function publicIssuerHandler(
  identity: Pick<Identity, "clock" | "customerTokens" | "directory" | "settings" | "storage">,
  edge: Edge,
  cors: Cors,
): Handler {
  return async (exchange) => {
    const { request, origin, tenantSlug } = exchange;
    const tenantId = requireId("tenant", request.params?.id ?? "", "id");
    const tenant = await identity.directory.tenant(tenantId);
    if (tenantSlug !== null && tenant?.slug !== tenantSlug) throw new AppError("not_found");
    const basic = parseBasic(request.headers.get("authorization") ?? "");
    if (basic?.name !== "api_key") {
      throw new AppError("authentication_required", {
        message: "Use HTTP Basic with the name api_key and the id of a public key.",
        challenge: 'Basic realm="public"',
      });
    }
    const { row, application } = await admitPublicKey(
      identity,
      tenant?.id ?? null,
      parseId("apiKey", basic.password),
      origin,
    );
    // A page of the application may call. No cookie is read or set.
    await cors.mark(exchange, request.headers.get("origin"), async () => application);
    const input = publicTokenInput.parse((await readJson(request)) ?? {});
    const access_token = await identity.customerTokens.mintPublic(row, input.user_id);
    return edge.json(exchange, 200, { access_token });
  };
}

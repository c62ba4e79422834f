import { parseId } from "../../core/ids.ts";
import { type Client, invalidClient } from "../../identity/clients/clients.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Tenant } from "../../identity/tenants/tenant.ts";
import type { Exchange } from "../edge.ts";
import { decodeForm, malformed } from "./form.ts";

/**
 * Authenticates a client by RFC 6749 section 2.3.1: HTTP Basic with form-encoded parts, or both parts in the body, but
 * never both ways at once.
 * @throws OAuthError `invalid_client`, `invalid_request`
 */
export async function authenticateClient(
  identity: Pick<Identity, "clients">,
  exchange: Exchange,
  tenant: Tenant,
  form: ReadonlyMap<string, string>,
): Promise<Client> {
  const header = exchange.request.headers.get("authorization");
  const bodyId = form.get("client_id");
  const bodySecret = form.get("client_secret");
  let given: { id: string; secret: string };
  if (header !== null) {
    if (bodySecret !== undefined)
      throw malformed("Send the client secret in one way only: in the header or in the body.");
    const basic = parseBasic(header);
    if (basic === null) throw invalidClient(tenant);
    if (bodyId !== undefined && parseId("application", bodyId) !== parseId("application", basic.name)) {
      throw malformed("client_id and the Authorization header name different clients.");
    }
    given = { id: basic.name, secret: basic.password };
  } else {
    if (bodyId === undefined || bodySecret === undefined) throw invalidClient(tenant);
    given = { id: bodyId, secret: bodySecret };
  }
  const clientId = parseId("application", given.id);
  const named = exchange.request.headers.get("x-application-id");
  if (named !== null && parseId("application", named) !== clientId) {
    throw malformed("x-application-id and the credential name different clients.");
  }
  return identity.clients.authenticate(tenant, { clientId, secret: given.secret }, exchange.origin);
}

/**
 * Parses RFC 7617 with both parts form-encoded, as RFC 6749 requires. Returns null for another scheme and for a
 * malformed header.
 */
export function parseBasic(header: string): { name: string; password: string } | null {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  if (encoded === undefined || encoded.length > 4096) return null;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon === -1) return null;
  const name = decodeForm(text.slice(0, colon));
  const password = decodeForm(text.slice(colon + 1));
  return name === null || password === null ? null : { name, password };
}

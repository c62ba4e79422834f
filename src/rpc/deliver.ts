import type { IssuedTokens } from "../identity/sessions/sessions.ts";
import { userOfBundle, type WireTokens } from "../identity/sessions/wire.ts";
import { type Call, isFromPage } from "./call.ts";

/**
 * Hands tokens over both ways at once, cookies and body. A request from a page never gets the refresh token in the body,
 * where a script could read it, except for native applications.
 */
export function deliver(call: Call, issued: IssuedTokens): WireTokens {
  const { application, session } = issued;
  call.reply.cookies.push({
    kind: "set",
    application,
    accessToken: session.delivery === "memory" ? null : issued.accessToken,
    accessMaxAge: issued.expiresIn,
    refreshToken: issued.refreshToken,
    refreshMaxAge: issued.refreshExpiresIn,
  });
  const hidden = isFromPage(call) && application.type !== "native";
  return {
    status: "success",
    access_token: issued.accessToken,
    token_type: "Bearer",
    expires_in: issued.expiresIn,
    refresh_token: hidden ? null : issued.refreshToken,
    user: userOfBundle(session),
  };
}

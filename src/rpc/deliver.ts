import type { IssuedTokens } from "../identity/sessions/sessions.ts";
import { userOfBundle, type WireSignIn, type WireTokens } from "../identity/sessions/wire.ts";
import type { SignInOutcome } from "../identity/sign-in/sign-ins.ts";
import { type Call, isFromPage } from "./call.ts";

/**
 * Delivers tokens in cookies and in the body. A request from a page never gets the refresh token in the body, where a
 * script could read it, except for native applications.
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

/** Delivers the outcome of a sign-in: tokens, or the request for a second factor. */
export function deliverOutcome(call: Call, outcome: SignInOutcome): WireSignIn {
  if (outcome.status === "mfa_required") {
    return {
      status: "mfa_required",
      mfa_token: outcome.token,
      mfa_token_expires_in: outcome.expiresIn,
      methods: outcome.methods,
      setup_required: outcome.isSetup,
    };
  }
  const { issued, trustedDevice, device } = outcome;
  const { application } = issued;
  const tokens = deliver(call, issued);
  if (device) call.reply.cookies.push({ kind: "device", application, ...device });
  if (!trustedDevice) return tokens;
  call.reply.cookies.push({ kind: "trusted-device", application, ...trustedDevice });
  const hidden = isFromPage(call) && application.type !== "native";
  return { ...tokens, trusted_device: hidden ? null : trustedDevice.secret };
}

import { holdsProvenAddress } from "../../identity/users/emails/public.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { emailSignInRouter } from "./router.ts";
import { EmailSignIns } from "./service.ts";

/**
 * Sign-in by a mailed link or code, each of which an application may switch on, and the description of a mailed link. A mail is
 * one factor: a user who has a second factor is asked for it.
 */
export const emailSignIn = defineFeature({
  settings: {},
  // The credential is an address. Identity keeps, shows and removes it.
  export: null,
  security: null,
  erase: null,
  revokeCredentials: null,
  signInMethods: { magic_link: holdsProvenAddress, email_code: holdsProvenAddress },
  router: ({ identity, procedures }) => emailSignInRouter(identity, procedures, new EmailSignIns(identity)),
});

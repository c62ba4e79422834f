import { holdsProvenAddress } from "../../identity/users/emails/public.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { emailSignInRouter } from "./router.ts";
import { EmailSignIns } from "./service.ts";

/**
 * Sign-in by a link or a code that is mailed, each switchable per application, and what a mailed link says about itself. It
 * is one factor: whoever has a second one is asked for it.
 */
export const emailSignIn = defineFeature({
  settings: {},
  // Its credential is an address, which identity keeps, shows and removes.
  export: null,
  security: null,
  erase: null,
  revokeCredentials: null,
  signInMethods: { magic_link: holdsProvenAddress, email_code: holdsProvenAddress },
  router: ({ identity, procedures }) => emailSignInRouter(identity, procedures, new EmailSignIns(identity)),
});

import { deleteOtherEmails } from "../../identity/users/emails/public.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { proofRouter } from "./proof-router.ts";
import { addressRouter } from "./router.ts";
import { Addresses } from "./service.ts";
import { Undo } from "./undo.ts";
import { Verification } from "./verification.ts";

/**
 * A person's addresses: proven by a link or code that is mailed, several a person, one of them the primary one. Both sides of
 * a change are told, and the old one may undo it for seven days.
 */
export const addresses = defineFeature({
  settings: {},
  // Addresses beside the one that somebody else proves now were proven by who was there first: a way back in for them.
  revokeCredentials: deleteOtherEmails,
  router: ({ identity, procedures }) => {
    const { me } = addressRouter(procedures, new Addresses(identity));
    const { auth } = proofRouter(procedures, new Verification(identity), new Undo(identity));
    return { me, auth };
  },
});

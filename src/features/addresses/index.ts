import { deleteOtherEmails } from "../../identity/users/emails/public.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { proofRouter } from "./proof-router.ts";
import { addressRouter } from "./router.ts";
import { Addresses } from "./service.ts";
import { Undo } from "./undo.ts";
import { Verification } from "./verification.ts";

/**
 * A person's addresses. A person may have several; a mailed link or code proves each, and one is the primary address. A change
 * of the primary address is mailed to both addresses, and the old address may undo it for seven days.
 */
export const addresses = defineFeature({
  settings: {},
  // A former holder of the account may have proven these other addresses, and could come back through them. An undo has chosen
  // the addresses that stay by then.
  revokeCredentials: async (tx, userId, { since }) =>
    since === null && (await deleteOtherEmails(tx, userId)) ? ["address"] : [],
  router: ({ identity, procedures }) => {
    const { me } = addressRouter(procedures, new Addresses(identity));
    const { auth } = proofRouter(identity, procedures, new Verification(identity), new Undo(identity));
    return { me, auth };
  },
});

import { defineFeature } from "../../rpc/feature.ts";
import { Assertions } from "./assertions.ts";
import { Challenges } from "./challenges.ts";
import { passkeyData, passkeyOverview } from "./data.ts";
import { passkeysRouter } from "./router.ts";
import { PasskeyFactor } from "./second-factor.ts";
import { Passkeys } from "./service.ts";
import { PasskeySignIns } from "./sign-ins.ts";
import { deletePasskeysOf, holdsPasskey } from "./store.ts";

/**
 * Passkeys (WebAuthn level 3). The key stays with the person's device or password manager and signs for one domain only, so
 * that no other page can ask for it. A passkey signs in alone, without a typed name, or is the second factor after a password.
 */
export const passkeys = defineFeature({
  settings: {},
  export: passkeyData,
  security: passkeyOverview,
  erase: async (tx, userId) => {
    await deletePasskeysOf(tx, userId, 0);
  },
  revokeCredentials: async (tx, userId, { since }) =>
    (await deletePasskeysOf(tx, userId, since ?? 0)) ? ["passkey"] : [],
  secondFactors: ({ identity }) => [new PasskeyFactor(identity, new Assertions(identity, new Challenges(identity)))],
  signInMethods: { passkey: holdsPasskey },
  router: ({ identity, procedures }) => {
    const challenges = new Challenges(identity);
    const signIns = new PasskeySignIns(identity, challenges, new Assertions(identity, challenges));
    return passkeysRouter(identity, procedures, new Passkeys(identity, challenges), signIns);
  },
});

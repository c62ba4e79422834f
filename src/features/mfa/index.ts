import { DAY, HOUR } from "../../core/clock.ts";
import type { RetentionSteps } from "../../identity/retention.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { FactorChanges } from "./changes.ts";
import { factorData, factorOverview } from "./data.ts";
import { RecoveryCodes } from "./recovery-codes.ts";
import { mfaRouter } from "./router.ts";
import { SecondFactorService } from "./service.ts";
import { deleteFactorsSince, purgePending, purgeReplacements } from "./store.ts";
import { TotpFactor } from "./totp-factor.ts";

/**
 * The second factors of a sign-in: authenticator apps, and recovery codes for a lost app. Also the procedures that prove any
 * second factor, whichever feature offers it.
 */
export const mfa = defineFeature({
  settings: {},
  export: factorData,
  security: factorOverview,
  erase: async (tx, userId) => {
    await deleteFactorsSince(tx, userId, 0);
  },
  // Keeps factors from before a change of address, because a mailbox alone must not get around them.
  revokeCredentials: (tx, userId, { since }) => deleteFactorsSince(tx, userId, since ?? 0),
  secondFactors: ({ identity }) => [new TotpFactor(identity), new RecoveryCodes(identity)],
  router: ({ identity, procedures }) => {
    const recoveryCodes = new RecoveryCodes(identity);
    const changes = new FactorChanges(identity, recoveryCodes);
    const service = new SecondFactorService(identity, new TotpFactor(identity), recoveryCodes);
    return mfaRouter(identity, procedures, service, changes);
  },
  jobs: ({ identity: { retention, clock } }) => [
    {
      name: "second-factor-retention",
      every: HOUR,
      run: (stopping) => {
        const before = clock.now() - DAY;
        const steps: RetentionSteps = [
          ["totp_factors", (tx, limit) => purgePending(tx, before, limit)],
          ["totp_factors", (tx, limit) => purgeReplacements(tx, before, limit)],
        ];
        return retention.run("second-factor-retention", steps, stopping);
      },
    },
  ],
});

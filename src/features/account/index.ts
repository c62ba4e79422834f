import { defineFeature } from "../../rpc/feature.ts";
import { ExportService } from "./export.ts";
import { ProfileService } from "./profile.ts";
import { accountRouter } from "./router.ts";
import { Account } from "./service.ts";

/**
 * A person's own account: the profile and what the application stores about them (also for users that a backend signs tokens
 * for), what their account is secured by, everything that is kept about them as one document, and its deletion.
 */
export const account = defineFeature({
  settings: {},
  router: ({ identity, procedures, userParts }) =>
    accountRouter(
      procedures,
      {
        profiles: new ProfileService(identity),
        account: new Account(identity, userParts.security),
        exports: new ExportService(identity, userParts.export),
      },
      userParts,
    ),
});

import { defineFeature } from "../../rpc/feature.ts";
import { ExportService } from "./export.ts";
import { ProfileService } from "./profile.ts";
import { Restoration } from "./restoration.ts";
import { accountRouter } from "./router.ts";
import { Account } from "./service.ts";

/**
 * A person's own account: the profile and the metadata of the application (also for users that a backend signs tokens for), how
 * the account is secured, an export of everything that is kept about the person, and the deletion of the account.
 */
export const account = defineFeature({
  settings: {},
  router: ({ identity, procedures, userParts }) =>
    accountRouter(
      procedures,
      {
        profiles: new ProfileService(identity),
        account: new Account(identity, userParts.security),
        restoration: new Restoration(identity),
        exports: new ExportService(identity, userParts.export),
      },
      userParts,
    ),
});

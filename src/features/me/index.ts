import { defineFeature } from "../../rpc/feature.ts";
import { ExportService } from "./export.ts";
import { ProfileService } from "./profile.ts";
import { meRouter } from "./router.ts";
import { OwnAffairs } from "./service.ts";

/**
 * A person's own affairs: the profile and what the application stores about them (also for users that a backend signs tokens
 * for), what their account is secured by, everything that is kept about them as one document, and its deletion.
 */
export const me = defineFeature({
  settings: {},
  router: ({ identity, procedures }) =>
    meRouter(procedures, {
      profiles: new ProfileService(identity),
      affairs: new OwnAffairs(identity),
      exports: new ExportService(identity),
    }),
});

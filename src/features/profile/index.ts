import { defineFeature } from "../../rpc/feature.ts";
import { profileRouter } from "./router.ts";
import { ProfileService } from "./service.ts";

/** A person's own profile, and what the application stores about them; also for users that a backend signs tokens for. */
export const profile = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => profileRouter(procedures, new ProfileService(identity)),
});

import { defineFeature } from "../../rpc/feature.ts";
import { sessionsRouter } from "./router.ts";
import { SessionService } from "./service.ts";

/** The sessions of a key's own application, as its backend lists and ends them. */
export const manageSessions = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => sessionsRouter(procedures, new SessionService(identity)),
});

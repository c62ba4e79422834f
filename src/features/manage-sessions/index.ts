import { defineFeature } from "../../rpc/feature.ts";
import { sessionsRouter } from "./router.ts";
import { SessionService } from "./service.ts";

/** Lists and ends the sessions of the calling key's own application. */
export const manageSessions = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => sessionsRouter(procedures, new SessionService(identity)),
});

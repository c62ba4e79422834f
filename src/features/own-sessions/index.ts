import { defineFeature } from "../../rpc/feature.ts";
import { ownSessionsRouter } from "./router.ts";
import { OwnSessions } from "./service.ts";

/** Lets signed-in users manage their own sessions, however they signed in. */
export const ownSessions = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => ownSessionsRouter(procedures, new OwnSessions(identity)),
});

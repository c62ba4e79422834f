import { defineFeature } from "../../rpc/feature.ts";
import { accountRouter } from "./router.ts";
import { Account } from "./service.ts";

/** What every signed-in person may do with their own sessions, however they signed in. */
export const account = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => accountRouter(procedures, new Account(identity)),
});

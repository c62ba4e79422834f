import { defineFeature } from "../../rpc/feature.ts";
import { usersRouter } from "./router.ts";
import { UserService } from "./service.ts";

/** The users of a tenant, managed by the customer's backend with a secret key. */
export const manageUsers = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => usersRouter(procedures, new UserService(identity)),
});

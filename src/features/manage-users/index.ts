import { defineFeature } from "../../rpc/feature.ts";
import { usersRouter } from "./router.ts";
import { UserService } from "./service.ts";

/** The pool of users, as the customer's backend manages it with a secret key. */
export const manageUsers = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => usersRouter(procedures, new UserService(identity)),
});

import { MINUTE } from "../../core/clock.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { AbandonedUsers } from "./abandoned.ts";
import { anonymousRouter } from "./router.ts";
import { AnonymousSignIn } from "./service.ts";
import { anonymousSettings } from "./settings.ts";

/**
 * Users without a credential. They have only a session, until a password, a passkey or a proven address claims the account in
 * place. A user whose last session is gone can never come back, and is deleted after a while.
 */
export const anonymous = defineFeature({
  settings: anonymousSettings,
  signInMethods: { anonymous: null },
  router: ({ identity, procedures }) => anonymousRouter(identity, procedures, new AnonymousSignIn(identity)),
  jobs: ({ identity, settings }) => {
    const abandoned = new AbandonedUsers(identity, settings.anonymous_retention_days);
    return [{ name: "anonymous-retention", every: 10 * MINUTE, run: () => abandoned.delete() }];
  },
});

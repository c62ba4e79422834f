import { account } from "./account/index.ts";
import { addresses } from "./addresses/index.ts";
import { anonymous } from "./anonymous/index.ts";
import { emailSignIn } from "./email-sign-in/index.ts";
import { manageApiKeys } from "./manage-api-keys/index.ts";
import { manageApplications } from "./manage-applications/index.ts";
import { manageResources } from "./manage-resources/index.ts";
import { manageSessions } from "./manage-sessions/index.ts";
import { manageUsers } from "./manage-users/index.ts";
import { mfa } from "./mfa/index.ts";
import { ownSessions } from "./own-sessions/index.ts";
import { passkeys } from "./passkeys/index.ts";
import { password } from "./password/index.ts";

/**
 * The registry, and the only list of capabilities: each has one line. The `manage…` features hold the procedures of a
 * customer's backend. People see sign-in methods and second factors in this order.
 */
export const features = {
  account,
  addresses,
  manageApiKeys,
  manageApplications,
  manageResources,
  manageSessions,
  manageUsers,
  ownSessions,
  password,
  mfa,
  passkeys,
  emailSignIn,
  anonymous,
};

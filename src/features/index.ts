import { account } from "./account/index.ts";
import { addresses } from "./addresses/index.ts";
import { apiKeys } from "./api-keys/index.ts";
import { applications } from "./applications/index.ts";
import { emailSignIn } from "./email-sign-in/index.ts";
import { password } from "./password/index.ts";
import { profile } from "./profile/index.ts";
import { resources } from "./resources/index.ts";
import { sessions } from "./sessions/index.ts";
import { users } from "./users/index.ts";

/** The registry: one line a capability. */
export const features = {
  account,
  addresses,
  apiKeys,
  applications,
  emailSignIn,
  password,
  profile,
  resources,
  sessions,
  users,
};

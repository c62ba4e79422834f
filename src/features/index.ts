import { account } from "./account/index.ts";
import { apiKeys } from "./api-keys/index.ts";
import { applications } from "./applications/index.ts";
import { mfa } from "./mfa/index.ts";
import { passkeys } from "./passkeys/index.ts";
import { password } from "./password/index.ts";
import { profile } from "./profile/index.ts";
import { resources } from "./resources/index.ts";
import { sessions } from "./sessions/index.ts";
import { users } from "./users/index.ts";

/** The registry: one line a capability. */
export const features = {
  account,
  apiKeys,
  applications,
  mfa,
  passkeys,
  password,
  profile,
  resources,
  sessions,
  users,
};

import { account } from "./account/index.ts";
import { apiKeys } from "./api-keys/index.ts";
import { password } from "./password/index.ts";
import { users } from "./users/index.ts";

/** The registry: one line a capability. */
export const features = { account, apiKeys, password, users };

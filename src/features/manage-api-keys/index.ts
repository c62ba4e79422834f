import { defineFeature } from "../../rpc/feature.ts";
import { apiKeysRouter } from "./router.ts";
import { ApiKeyService } from "./service.ts";

/** Keys of a customer's backend, made, listed, rotated and revoked by one of them. */
export const manageApiKeys = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => apiKeysRouter(procedures, new ApiKeyService(identity)),
});

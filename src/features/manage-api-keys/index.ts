import { defineFeature } from "../../rpc/feature.ts";
import { apiKeysRouter } from "./router.ts";
import { ApiKeyService } from "./service.ts";

/** Makes, lists, rotates and revokes the API keys of a customer's backend. The caller is such a key itself. */
export const manageApiKeys = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => apiKeysRouter(procedures, new ApiKeyService(identity)),
});

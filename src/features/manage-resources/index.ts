import { defineFeature } from "../../rpc/feature.ts";
import { resourcesRouter } from "./router.ts";
import { ResourceService } from "./service.ts";

/** The APIs that a tenant's tokens may be for. Each has an audience and a list of scopes. */
export const manageResources = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => resourcesRouter(procedures, new ResourceService(identity)),
});

/** The queries that other folders may run. The rest of the store is private to this folder. */
export { findApiKey, pageOfApiKeys, replaceKeySeal, revokeApiKey, rotateApiKey, sealedApiKeys } from "./store.ts";

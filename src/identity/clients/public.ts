/** The queries that other folders may run. The rest of the store is private to this one. */
export { listClientGrants, listClientSecrets } from "./store.ts";

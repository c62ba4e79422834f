/** The queries that other folders may run. The rest of the store is private to this folder. */
export { auditEntriesOf, newestEntryAt } from "./store.ts";

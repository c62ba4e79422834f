/** The queries that other folders may run. The rest of the store is private to this folder. */
export {
  insertRevocation,
  isRevoked,
  issuedBefore,
  listRevocations,
  newestRevocation,
  type Revocation,
} from "./store.ts";

/** The queries that other folders may run. The rest of the store is private to this folder. */
export { deleteFlowsOf, endEverySignIn, SIGN_IN_KINDS } from "./store.ts";

/** The queries that other folders may run. The rest of the store is private to this folder. */
export {
  getSetting,
  listAllSigningKeys,
  listDataKeys,
  MASTER_KEY_CHECK,
  replaceDataKeySeal,
  replaceSigningKeySeal,
  sealedSigningKeys,
} from "./store.ts";

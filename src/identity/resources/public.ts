/** The queries that other folders may run. The rest of the store is private to this folder. */
export {
  deleteResource,
  findResource,
  findResourceScopes,
  insertResource,
  pageOfResources,
  updateResource,
} from "./store.ts";

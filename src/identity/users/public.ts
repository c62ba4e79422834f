/** The queries that other folders may run. The rest of the store is private to this folder. */
export {
  claimUser,
  findIdByExternal,
  findUser,
  holdUser,
  insertEmail,
  insertUser,
  isEnabled,
  isEnabledUser,
  lockUser,
  pageOfUsers,
  reviveUser,
  searchForm,
  tombstoneUser,
  updateUser,
  userColumns,
} from "./store.ts";

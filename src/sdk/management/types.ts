import type {
  ApiKeysCreateInput,
  ResourcesCreateInput,
  ResourcesUpdateInput,
  SessionsListInput,
  UsersCreateInput,
  UsersListInput,
  UsersUpdateInput,
} from "../client/api.gen.ts";

/** The inputs of the wire under the names of this door. Those that name a row have its id as an argument of their own. */
export type UserListOptions = UsersListInput;
export type NewUser = UsersCreateInput;
export type UserChange = Omit<UsersUpdateInput, "id">;
export type SessionListOptions = SessionsListInput;
export type NewResource = ResourcesCreateInput;
export type ResourceChange = Omit<ResourcesUpdateInput, "id">;
export type ApiKeyRequest = ApiKeysCreateInput;

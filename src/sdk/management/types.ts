import type {
  ApiKeysCreateInput,
  ResourcesCreateInput,
  ResourcesUpdateInput,
  SessionsListInput,
  UsersCreateInput,
  UsersListInput,
  UsersUpdateInput,
} from "../client/api.gen.ts";

/** The API's inputs under this package's names. An input that names a row has its id as a separate argument. */
export type UserListOptions = UsersListInput;
export type NewUser = UsersCreateInput;
export type UserChange = Omit<UsersUpdateInput, "id">;
export type SessionListOptions = SessionsListInput;
export type NewResource = ResourcesCreateInput;
export type ResourceChange = Omit<ResourcesUpdateInput, "id">;
export type ApiKeyRequest = ApiKeysCreateInput;

import type { WirePasskey } from "../../src/features/passkeys/wire.ts";
import type { TestApp, TestUser } from "./app.ts";
import {
  type AssertionJson,
  Authenticator,
  type CreationOptions,
  type Quirks,
  type RegistrationJson,
  type RequestOptions,
} from "./authenticator.ts";
import type { Answer, Client } from "./client.ts";
import { APP_ORIGIN } from "./template.ts";

export const newAuthenticator = (settings: Partial<ConstructorParameters<typeof Authenticator>[0]> = {}) =>
  new Authenticator({ origin: APP_ORIGIN, ...settings });

interface Begun<Options> {
  flow_id: string;
  public_key: Options;
  expires_in: number;
}

/**
 * Starts a ceremony.
 * @throws Error with the answer if it is refused
 */
async function begin<Options>(client: Client, path: string): Promise<Begun<Options>> {
  const answer = await client.post(path);
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.body as unknown as Begun<Options>;
}

export const beginRegistration = (client: Client) => begin<CreationOptions>(client, "/v1/me/passkeys/begin");
/**
 * Starts a sign-in.
 * @param prefix the start of another tenant's paths
 */
export const beginSignIn = (client: Client, prefix = "") =>
  begin<RequestOptions>(client, `${prefix}/v1/auth/passkey/login/begin`);

export const completeRegistration = (client: Client, flowId: string, response: RegistrationJson, name?: string) =>
  client.post("/v1/me/passkeys/complete", { flow_id: flowId, response, ...(name === undefined ? {} : { name }) });
export const completeSignIn = (client: Client, flowId: string, response: AssertionJson) =>
  client.post("/v1/auth/passkey/login/complete", { flow_id: flowId, response });

/** Returns a caller of the application that allows {@link APP_ORIGIN}. */
export const caller = (app: TestApp) => app.client({ "x-application-id": app.applicationId });

/** Adds a passkey to the user whose token the client sends. */
export async function addPasskey(client: Client, authenticator: Authenticator, quirks: Quirks = {}) {
  const { flow_id, public_key } = await beginRegistration(client);
  const answer = await completeRegistration(client, flow_id, authenticator.create(public_key, quirks));
  if (answer.status !== 201) throw new Error(`adding a passkey answered ${answer.status}: ${answer.text}`);
  return answer.body as unknown as WirePasskey;
}

export async function signInWith(client: Client, authenticator: Authenticator, quirks: Quirks = {}): Promise<Answer> {
  const { flow_id, public_key } = await beginSignIn(client);
  return completeSignIn(client, flow_id, authenticator.get(public_key, quirks));
}

export interface Holder {
  user: TestUser;
  /** Sends the token of a session by password. */
  client: Client;
  authenticator: Authenticator;
  passkey: WirePasskey;
}

/** Makes a user with one passkey. */
export async function holder(app: TestApp, authenticator: Authenticator = newAuthenticator()): Promise<Holder> {
  const { user, tokens } = await app.signedIn();
  const client = app.client().bearer(tokens.accessToken);
  return { user, client, authenticator, passkey: await addPasskey(client, authenticator) };
}

import { type Api, type AppRouter, createClient } from "sallyport/client";
import { SallyportError as ErrorOfExpress, requireScope, requireSession, sessionOf } from "sallyport/express";
import { SallyportError as ErrorOfManagement, type ManagedUser, ManagementClient } from "sallyport/management";
import { type AccessClaims, SallyportError, SallyportServer, signUserToken } from "sallyport/server";

// A project that installs only the package. test/sdk/package.test.ts type-checks and runs it.

declare const process: { env: Record<string, string | undefined> };
declare const console: { log(text: string): void };

const { SALLYPORT_URL: baseUrl, SALLYPORT_APP_ID: applicationId, SALLYPORT_API_KEY: apiKey } = process.env;
const { CONSUMER_EMAIL: email = "", CONSUMER_PASSWORD: password = "" } = process.env;
if (baseUrl === undefined || applicationId === undefined) throw new Error("set SALLYPORT_URL and SALLYPORT_APP_ID");

const client = createClient();
const signedIn: Api["auth"]["login"]["output"] = await client.auth.login.mutate({ email, password });
if (signedIn.status !== "success") throw new Error(signedIn.status);
client.setAccessToken(signedIn.access_token);
const session = await client.auth.session.query();

const sallyport = new SallyportServer({ baseUrl, applicationId, apiKey });
const claims: AccessClaims = await sallyport.verifyToken(`Bearer ${signedIn.access_token}`);
const again = await sallyport.verifyToken(signedIn.access_token);
const users = await sallyport.users.list({ limit: 1 });

const refusals: string[] = [];
for (const attempt of [
  () => sallyport.verifyToken(""),
  () => sallyport.verifyToken(`${signedIn.access_token.slice(0, -6)}`),
  () => client.auth.login.mutate({ email, password: "wrong, and long enough to be looked at" }),
]) {
  try {
    await attempt();
    refusals.push("accepted");
  } catch (error) {
    // Both transports throw the same class.
    refusals.push(error instanceof SallyportError ? error.code : String(error));
  }
}

// The entry points without further peers: the middleware is called as Express would, the rest is refused at construction.
const audience = `${baseUrl}/api/${applicationId}`;
const request = { method: "GET", headers: { authorization: `Bearer ${signedIn.access_token}` } };
const response = { statusCode: 200, setHeader: () => undefined, end: () => undefined };
await new Promise<void>((next) => requireSession({ tenantUrl: baseUrl, audience })(request, response, () => next()));
await new Promise<void>((next) => requireScope("account")(request, response, () => next()));
const everybody = async (management: ManagementClient): Promise<ManagedUser[]> => {
  const found: ManagedUser[] = [];
  for await (const user of management.users.list({ limit: 100 })) found.push(user);
  return found;
};
for (const attempt of [
  () => everybody(new ManagementClient({ tenantUrl: baseUrl, clientId: applicationId })),
  () => signUserToken({ identity: "42" }),
]) {
  try {
    await attempt();
    refusals.push("accepted");
  } catch (error) {
    refusals.push(error instanceof SallyportError ? error.code : String(error));
  }
}
const answer = await sallyport.authenticateRequest(new Request(baseUrl));
if (answer.response) refusals.push(String(answer.response.status));
sallyport.close();

console.log(
  JSON.stringify({
    user: session.user.id,
    sub: claims.sub,
    same: claims === again,
    listed: users.data.length,
    behindExpress: sessionOf(request)?.sub,
    oneClass: ErrorOfExpress === SallyportError && ErrorOfManagement === SallyportError,
    fresh: sallyport.staleness() < 60_000,
    refusals,
  }),
);

export type Router = AppRouter;

import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { dayOneRouter, scriptedUser } from "./day-one-router.ts";
import { APPLICATION, newKey, TestIssuer } from "./issuer.ts";

/** What the consumer project is run against: its environment, and how to end it. */
export interface Appliance {
  /** SALLYPORT_URL, SALLYPORT_APP_ID, SALLYPORT_API_KEY, and an existing account: CONSUMER_EMAIL, CONSUMER_PASSWORD. */
  env: Record<string, string>;
  stop: () => Promise<void>;
}

/**
 * THE place to switch to the live appliance: start `sallyport dev --json`, take SALLYPORT_URL, SALLYPORT_APP_ID and
 * SALLYPORT_API_KEY from what it prints, register the account over REST, and return them here. Until then this is tRPC's
 * own server and a real issuer behind one socket.
 */
export async function startAppliance(): Promise<Appliance> {
  const issuer = new TestIssuer();
  issuer.time = Date.now();
  const key = await newKey("EdDSA");
  issuer.keys = [key];
  issuer.override = (request, url) => {
    if (url.pathname.startsWith("/trpc/")) {
      const createContext = async () => ({ accessToken: await issuer.token(key, { sub: scriptedUser.id }) });
      return fetchRequestHandler({ endpoint: "/trpc", req: request, router: dayOneRouter, createContext });
    }
    if (url.pathname === "/v1/users" && request.headers.get("authorization") === "Bearer sally_sk_example") {
      return Response.json({ data: [scriptedUser], next_cursor: null });
    }
    return undefined;
  };
  return {
    env: {
      SALLYPORT_URL: issuer.url,
      SALLYPORT_APP_ID: APPLICATION,
      SALLYPORT_API_KEY: "sally_sk_example",
      CONSUMER_EMAIL: "ada@example.com",
      CONSUMER_PASSWORD: "correct horse battery staple",
    },
    stop: () => issuer[Symbol.asyncDispose](),
  };
}

import { expect, test } from "bun:test";
import { createClient, createSession, type SallyportClient } from "../../../../src/sdk/client/index.ts";

const OPTIONS = { url: "http://localhost:8080", applicationId: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" };

test.each<[string, SallyportClient, string]>([
  ["outside a page", createClient(OPTIONS), "works only in pages"],
  ["a client with a token", createClient({ ...OPTIONS, accessToken: "a.b.c" }), "keeps the access token itself"],
  [
    "a client that asks for tokens",
    createClient({ ...OPTIONS, getAccessToken: () => null }),
    "keeps the access token itself",
  ],
  ["an object that is not a client", {} as SallyportClient, "createClient"],
])("%s is refused at construction", (_name, client, message) => {
  expect(() => createSession(client)).toThrow(message);
});

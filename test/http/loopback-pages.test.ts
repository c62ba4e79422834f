import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { caller, holder, newAuthenticator, signInWith } from "../support/passkeys.ts";
import { sqliteScenarios } from "../support/scenarios.ts";

const HERE = ["http://localhost:3000", "http://localhost:5173", "http://localhost", "http://127.0.0.1:49152"];
const ELSEWHERE = [
  "https://localhost:3000",
  "http://localhost.evil.example",
  "http://evil.example:3000",
  "http://127.0.0.1.evil.example:3000",
  "http://localhost:3000.evil.example",
  "http://127.0.0.2:3000",
  "http://192.168.0.2:3000",
  "null",
];

/** Sends a preflight and a sign-in from a page on this origin. Returns whether they are allowed and readable. */
async function outcome(app: TestApp, origin: string, login: object): Promise<(number | boolean)[]> {
  const preflight = await app
    .client({ origin, "access-control-request-method": "POST" })
    .send("OPTIONS", "/v1/auth/login");
  const answer = await app.page(origin).post("/v1/auth/login", login);
  return [preflight.status, answer.status, answer.headers.get("access-control-allow-origin") === origin];
}

sqliteScenarios("pages on this machine", (t) => {
  t.test(
    "may call dev from any port, without a list of origins",
    async (app) => {
      const { login } = await app.user();
      for (const origin of HERE)
        expect([origin, await outcome(app, origin, login)]).toEqual([origin, [204, 200, true]]);
      for (const origin of ELSEWHERE) {
        expect([origin, await outcome(app, origin, login)]).toEqual([origin, [403, 403, false]]);
      }
    },
    { allowsLoopbackPages: true },
  );

  t.test(
    "may use passkeys with dev",
    async (app) => {
      const authenticator = newAuthenticator({ origin: "http://localhost:4321" });
      await holder(app, authenticator);
      expect((await signInWith(caller(app), authenticator)).status).toBe(200);
    },
    { allowsLoopbackPages: true },
  );

  t.test("may not call any other instance until an application lists them", async (app) => {
    const { login } = await app.user();
    for (const origin of HERE) expect([origin, await outcome(app, origin, login)]).toEqual([origin, [403, 403, false]]);
  });
});

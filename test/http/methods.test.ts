import { expect } from "bun:test";
import { sqliteScenarios } from "../support/scenarios.ts";

sqliteScenarios("the methods of an address", (t) => {
  t.test("OPTIONS and a refusal list those that exist, to programs and to pages", async (app) => {
    for (const [path, methods] of [
      ["/v1/auth/login", "POST, OPTIONS"],
      ["/v1/users", "POST, GET, HEAD, OPTIONS"],
      ["/v1/me", "GET, HEAD, PATCH, DELETE, OPTIONS"],
      ["/oauth2/jwks", "GET, HEAD, OPTIONS"],
      ["/t/acme/oauth2/token", "POST, OPTIONS"],
      ["/trpc/auth.session", "GET, HEAD, POST, OPTIONS"],
    ] as const) {
      const sorted = (text: string | null) => (text ?? "").split(", ").toSorted();
      const asked = await app.client().send("OPTIONS", path);
      expect([path, asked.status, sorted(asked.headers.get("allow"))]).toEqual([path, 204, sorted(methods)]);
      const page = await app.page().send("OPTIONS", path.replace("/t/acme", ""));
      const allowed = page.headers.get("access-control-allow-methods");
      expect([path, sorted(allowed)]).toEqual([path, sorted(methods)]);
      const refused = await app.client().send("PUT", path);
      expect([path, refused.status, sorted(refused.headers.get("allow"))]).toEqual([path, 405, sorted(methods)]);
    }
  });
});

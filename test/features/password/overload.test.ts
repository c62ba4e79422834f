import { expect } from "bun:test";
import { sqliteScenarios } from "../../support/scenarios.ts";

sqliteScenarios("a flood of sign-ins", (t) => {
  t.test(
    "is answered 503 with Retry-After, while everything else keeps answering",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const session = app.client().bearer(tokens.accessToken);
      const flood = Array.from({ length: 40 }, (_, index) =>
        app.client().post("/v1/auth/login", { ...user.login, email: index % 2 ? user.email : `x${index}@example.com` }),
      );
      const during = await Promise.all(Array.from({ length: 10 }, () => session.get("/v1/auth/session")));
      expect(during.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
      expect((await app.client().get("/.well-known/jwks.json")).status).toBe(200);
      const answers = await Promise.all(flood);
      const shed = answers.filter(({ status }) => status === 503);
      expect(shed.length).toBeGreaterThan(20);
      expect(answers.filter(({ status }) => status === 200 || status === 401).length).toBe(40 - shed.length);
      for (const { code, headers, cookies } of shed) {
        expect(code).toBe("overloaded");
        expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
        expect(cookies).toEqual([]);
      }
      expect(app.metric("sallyport_password_shed_total")).toBe(shed.length);
      // The flood is over: the next sign-in succeeds.
      expect((await app.client().post("/v1/auth/login", user.login)).status).toBe(200);
    },
    { settings: { password_hash_slots: 1, password_hash_queue: 4, limit_account: "100/1m" } },
  );

  t.test(
    "from one network leaves room for another",
    async (app) => {
      const user = await app.user();
      const from = (address: string) => app.client({ "x-forwarded-for": address });
      const flood = Array.from({ length: 30 }, (_, index) =>
        from("203.0.113.1").post("/v1/auth/login", { ...user.login, email: `x${index}@example.com` }),
      );
      const other = from("198.51.100.1").post("/v1/auth/login", user.login);
      expect((await other).status).toBe(200);
      const statuses = (await Promise.all(flood)).map(({ status }) => status);
      expect(statuses).toContain(503);
    },
    { settings: { password_hash_slots: 1, password_hash_queue: 8, trusted_proxies: ["127.0.0.1"] } },
  );
});

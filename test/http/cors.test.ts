import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { sqliteScenarios } from "../support/scenarios.ts";
import { APP_ORIGIN } from "../support/template.ts";

const preflight = (app: TestApp, origin: string, path = "/v1/auth/login") =>
  app
    .client({
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,x-application-id",
    })
    .send("OPTIONS", path);

sqliteScenarios("CORS (ASVS 3.4.2)", (t) => {
  t.test("a preflight allows every origin of the tenant's applications by name, and never a star", async (app) => {
    await app.application({ origins: ["https://second.example"] });
    for (const origin of [APP_ORIGIN, "https://second.example", app.publicUrl]) {
      const answer = await preflight(app, origin);
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
      expect(answer.headers.get("vary")).toBe("origin");
      const headers = answer.headers.get("access-control-allow-headers")?.split(", ") ?? [];
      for (const name of ["authorization", "content-type", "x-application-id", "idempotency-key", "last-event-id"]) {
        expect(headers).toContain(name);
      }
      expect(headers).not.toContain("x-client-address");
    }
  });

  t.test("a preflight refuses every other origin, on any transport", async (app) => {
    const disabled = await app.application({ origins: ["https://gone.example"] });
    await app.disable("applications", disabled);
    for (const origin of ["https://evil.example", "null", `${APP_ORIGIN}.evil.example`, "https://gone.example", "*"]) {
      for (const path of ["/v1/auth/login", "/trpc/auth.login", "/v1/auth/sessions/x"]) {
        const refused = await preflight(app, origin, path);
        expect([origin, refused.status, refused.code]).toEqual([origin, 403, "origin_not_allowed"]);
        expect(refused.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
  });

  t.test("a preflight under a tenant's path allows the origins of that tenant", async (app) => {
    await app.tenant("acme");
    expect((await preflight(app, "https://acme.example", "/t/acme/v1/auth/login")).status).toBe(204);
    expect((await preflight(app, APP_ORIGIN, "/t/acme/v1/auth/login")).status).toBe(403);
    expect((await preflight(app, APP_ORIGIN, "/t/nobody/v1/auth/login")).status).toBe(403);
  });

  t.test("a request, even a refused one, is readable only for origins of its own application", async (app) => {
    const user = await app.user();
    const own = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const good = await own.post("/v1/auth/login", user.login);
    expect(good.headers.get("access-control-allow-origin")).toBe(APP_ORIGIN);
    expect(good.headers.get("access-control-expose-headers")).toBe("x-request-id, retry-after, www-authenticate");
    const wrong = await own.post("/v1/auth/login", { ...user.login, password: "not-the-right-password" });
    expect([wrong.status, wrong.headers.get("access-control-allow-origin")]).toEqual([401, APP_ORIGIN]);
    const noSession = await app.page(APP_ORIGIN, { "x-application-id": app.applicationId }).get("/v1/auth/session");
    expect([noSession.status, noSession.headers.get("access-control-allow-origin")]).toEqual([401, APP_ORIGIN]);
    const badBody = await own.post("/v1/auth/login", {});
    expect([badBody.status, badBody.headers.get("access-control-allow-origin")]).toEqual([400, APP_ORIGIN]);
    // The default application allows no page, so no page may read its answers.
    const other = await app.page(APP_ORIGIN).get("/v1/auth/session");
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    const trpc = await own.query("auth.session");
    expect(trpc.headers.get("access-control-allow-origin")).toBe(APP_ORIGIN);
  });

  t.test("answers to pages vary by origin, so that no cache gives them to another page", async (app) => {
    const user = await app.user();
    for (const origin of [APP_ORIGIN, "https://evil.example"]) {
      const page = app.page(origin, { "x-application-id": app.applicationId });
      for (const answer of [
        await page.post("/v1/auth/login", user.login),
        await page.post("/v1/auth/login", {}),
        await page.get("/v1/auth/session"),
        await page.query("auth.session"),
      ]) {
        expect([origin, answer.status, answer.headers.get("vary")]).toEqual([origin, answer.status, "origin"]);
      }
    }
  });

  t.test("any page may read public documents, without its credentials", async (app) => {
    for (const path of ["/.well-known/jwks.json", "/oauth2/jwks", "/v1/revocations", "/openapi.json"]) {
      const answer = await app.page("https://anyone.example").get(path);
      expect([path, answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([path, 200, "*"]);
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });
});

import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";

const HTTPS = { publicUrl: "https://login.example.com" };

async function login(app: TestApp, applicationId?: string) {
  const user = await app.user();
  const client = app.client(applicationId === undefined ? {} : { "x-application-id": applicationId });
  return (await client.post("/v1/auth/login", user.login)).cookies;
}

scenarios("cookies", (t) => {
  const DAYS_400 = String(400 * 86_400);
  const DAYS_30 = String(30 * 86_400 - 1);
  const attributes = (path: string, maxAge: string, secure: boolean) => ({
    path,
    "max-age": maxAge,
    httponly: "",
    samesite: "Lax",
    ...(secure ? { secure: "" } : {}),
  });

  t.test("have the right names and attributes under http", async (app) => {
    const short = app.applicationId.slice(-12);
    const [access, refresh, device] = await login(app);
    expect([access?.name, refresh?.name, device?.name]).toEqual(["sallyport_at", "sallyport_rt", "sallyport_dv"]);
    expect(access?.attributes).toEqual(attributes("/", "900", false));
    expect(refresh?.attributes).toEqual(attributes("/v1/auth", DAYS_30, false));
    expect(device?.attributes).toEqual(attributes("/", DAYS_400, false));
    const own = await login(app, app.applicationId);
    expect(own.map(({ name }) => name)).toEqual([`sallyport_at_${short}`, `sallyport_rt_${short}`, "sallyport_dv"]);
  });

  t.test(
    "have the right names and attributes under https (ASVS 3.3.1, 3.3.2, 3.3.3, 3.3.4)",
    async (app) => {
      const short = app.applicationId.slice(-12);
      const [access, refresh, device] = await login(app);
      const names = [access, refresh, device].map((cookie) => cookie?.name);
      expect(names).toEqual(["__Host-sallyport_at", "__Secure-sallyport_rt", "__Host-sallyport_dv"]);
      expect(device?.attributes).toEqual(attributes("/", DAYS_400, true));
      expect(access?.attributes).toEqual(attributes("/", "900", true));
      expect(refresh?.attributes).toEqual(attributes("/v1/auth", DAYS_30, true));
      const own = await login(app, app.applicationId);
      expect(own.map(({ name }) => name)).toEqual([
        `__Host-sallyport_at_${short}`,
        `__Secure-sallyport_rt_${short}`,
        "__Host-sallyport_dv",
      ]);
    },
    HTTPS,
  );

  t.test(
    "are ignored under https without their prefix, because a sibling host could have set them",
    async (app) => {
      const { tokens } = await app.signedIn(app.defaultApplicationId);
      const session = (name: string) => app.client({ cookie: `${name}=${tokens.accessToken}` }).get("/v1/auth/session");
      expect((await session("sallyport_at")).code).toBe("authentication_required");
      expect((await session("__Secure-sallyport_at")).code).toBe("authentication_required");
      expect((await session("__Host-sallyport_at")).status).toBe(200);
      const refresh = { cookie: `sallyport_rt=${tokens.refreshToken}` };
      expect((await app.client(refresh).post("/v1/auth/refresh")).code).toBe("authentication_required");
    },
    HTTPS,
  );

  t.test("are cleared after a final refusal, and kept if a later refresh may succeed", async (app) => {
    const { tokens } = await app.signedIn(app.defaultApplicationId);
    const page = app.page(app.publicUrl);
    const dead = await page.post("/v1/auth/refresh", {}, { headers: { cookie: `sallyport_rt=${tokens.accessToken}` } });
    expect([dead.status, dead.cookies.map(({ value }) => value)]).toEqual([401, ["", ""]]);
    const foreign = await app
      .page("https://evil.example")
      .post("/v1/auth/refresh", {}, { headers: { cookie: `sallyport_rt=${tokens.refreshToken}` } });
    expect([foreign.status, foreign.cookies]).toEqual([403, []]);
    const inBody = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.accessToken });
    expect([inBody.status, inBody.cookies]).toEqual([401, []]);
  });

  t.test("use the application's refresh path, where sign-out clears them", async (app) => {
    const applicationId = await app.application({ refresh_cookie_path: "/api/v1/auth" });
    const user = await app.user();
    const client = app.client({ "x-application-id": applicationId });
    const { cookies, body } = await client.post("/v1/auth/login", user.login);
    expect(cookies[1]?.attributes.path).toBe("/api/v1/auth");
    const cleared = (await client.bearer(body.access_token).post("/v1/auth/logout")).cookies;
    expect(cleared.map(({ name }) => name)).toEqual(cookies.slice(0, 2).map(({ name }) => name));
    expect(cleared.map(({ value, attributes }) => [value, attributes.path, attributes["max-age"]])).toEqual([
      ["", "/", "0"],
      ["", "/api/v1/auth", "0"],
    ]);
  });

  t.test(
    "do not overwrite those of another application or of another tenant's default application on the same host",
    async (app) => {
      const acme = await app.tenant("acme");
      const names = new Set<string>();
      for (const id of [app.defaultApplicationId, app.applicationId])
        for (const { name } of await login(app, id)) names.add(name);
      const stranger = await app.user("eve@example.com", acme.id);
      for (const { name } of (await app.client().post("/t/acme/v1/auth/login", stranger.login)).cookies)
        names.add(name);
      // Two session cookies for each, and one device cookie for each tenant.
      expect(names.size).toBe(8);
    },
  );

  t.test("are found by their whole name, at any place", async (app) => {
    const { tokens } = await app.signedIn(app.defaultApplicationId);
    const good = `sallyport_at=${tokens.accessToken}`;
    const status = async (cookie: string) => (await app.client({ cookie }).get("/v1/auth/session")).status;
    expect(await status(`a=b; ${good}`)).toBe(200);
    expect(await status(`sallyport_at_x=1;${good}; z=1`)).toBe(200);
    expect(await status(`xsallyport_at=${tokens.accessToken}`)).toBe(401);
    expect(await status(`other="sallyport_at=${tokens.accessToken}"`)).toBe(401);
    expect(await status("sallyport_at=")).toBe(401);
    expect(await status("sallyport_at")).toBe(401);
    expect(await status(";;=;sallyport_at=x")).toBe(401);
  });

  t.test("never win over an Authorization header", async (app) => {
    const { tokens } = await app.signedIn(app.defaultApplicationId);
    const cookie = `sallyport_at=${tokens.accessToken}`;
    for (const authorization of ["Bearer", "Basic abc", "Bearer a b", "Bearer nonsense", "Token x"]) {
      const refused = await app.client({ cookie, authorization }).get("/v1/auth/session");
      expect([authorization, refused.status]).toEqual([authorization, 401]);
    }
  });
});

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

/** A browser holds several cookies of one name for different paths and domains, and sends them in an order that proves nothing. */
scenarios("two cookies of one name", (t) => {
  const names = { access: "sallyport_at", refresh: "sallyport_rt" };
  const header = (name: string, ...values: string[]) => ({
    cookie: values.map((value) => `${name}=${value}`).join("; "),
  });

  t.test("the good one counts beside a stale one, in either order", async (app) => {
    const { user, tokens } = await app.signedIn(app.defaultApplicationId);
    const stale = await app.signIn(user, app.defaultApplicationId);
    app.clock.advance(20 * 60_000);
    const { body } = await app.client(header(names.refresh, tokens.refreshToken)).post("/v1/auth/refresh");
    const other = `${body.access_token.slice(0, -4)}AAAA`;
    for (const bad of [stale.accessToken, "nonsense", "a.b.c", other]) {
      for (const pair of [
        [bad, body.access_token],
        [body.access_token, bad],
      ]) {
        const answer = await app.client(header(names.access, ...pair)).get("/v1/auth/session");
        expect([bad, answer.status]).toEqual([bad, 200]);
      }
    }
    expect((await app.client(header(names.access, stale.accessToken, "x")).get("/v1/auth/session")).code).toBe(
      "token_expired",
    );
  });

  t.test("an old refresh token beside its successor is not taken for a stolen copy", async (app) => {
    const { tokens } = await app.signedIn(app.defaultApplicationId);
    const old = tokens.refreshToken;
    let current: string = old;
    for (let turn = 0; turn < 3; turn++) {
      app.clock.advance(10 * 60_000);
      const answer = await app.client(header(names.refresh, old, current)).post("/v1/auth/refresh");
      expect([turn, answer.status]).toEqual([turn, 200]);
      current = String(answer.body.refresh_token);
    }
    // Without its successor, it is one.
    expect((await app.client(header(names.refresh, old)).post("/v1/auth/refresh")).code).toBe("token_revoked");
    expect((await app.client(header(names.refresh, current)).post("/v1/auth/refresh")).code).toBe("token_revoked");
  });

  t.test("a dead token beside a good one does not end the good one's session", async (app) => {
    const { user, tokens } = await app.signedIn(app.defaultApplicationId);
    const ended = await app.signIn(user, app.defaultApplicationId);
    await app.client().bearer(ended.accessToken).post("/v1/auth/logout");
    for (const dead of [ended.refreshToken, "nonsense", tokens.accessToken]) {
      const answer = await app.client(header(names.refresh, dead, tokens.refreshToken)).post("/v1/auth/refresh");
      expect([dead, answer.status]).toEqual([dead, 200]);
    }
  });

  t.test("a planted cookie of another user never wins (session fixation)", async (app) => {
    const own = await app.signedIn(app.defaultApplicationId);
    const planted = await app.signedIn(app.defaultApplicationId);
    for (const [name, path, method, one, two] of [
      [names.access, "/v1/auth/session", "GET", planted.tokens.accessToken, own.tokens.accessToken],
      [names.refresh, "/v1/auth/refresh", "POST", planted.tokens.refreshToken, own.tokens.refreshToken],
    ] as const) {
      for (const pair of [
        [one, two],
        [two, one],
      ]) {
        const refused = await app.client(header(name, ...pair)).send(method, path, {});
        expect([path, refused.status, refused.body.error.message]).toEqual([
          path,
          401,
          "The browser sent the sessions of two users. Sign in again.",
        ]);
      }
    }
    // The device cookie decides: under https, no sibling host can plant it.
    const user = await app.user();
    const { cookies, body } = await app.client().post("/v1/auth/login", user.login);
    const device = cookies.find(({ name }) => name === "sallyport_dv")?.value;
    const cookie = `${header(names.refresh, planted.tokens.refreshToken, String(body.refresh_token)).cookie}; sallyport_dv=${device}`;
    const answer = await app.client({ cookie }).post("/v1/auth/refresh");
    expect([answer.status, answer.body.user?.email]).toEqual([200, user.login.email]);
  });

  t.test("no more than four are tried", async (app) => {
    const { tokens } = await app.signedIn(app.defaultApplicationId);
    const junk = Array.from({ length: 400 }, (_, index) => `junk-${index}`);
    const status = async (...values: string[]) =>
      (await app.client(header(names.access, ...values)).get("/v1/auth/session")).status;
    expect(await status(...junk.slice(0, 3), tokens.accessToken)).toBe(200);
    expect(await status(...junk, tokens.accessToken)).toBe(401);
  });

  t.test(
    "a refresh removes the strays of earlier paths and wider domains, and sets its own cookie last",
    async (app) => {
      const name = "__Secure-sallyport_rt";
      const { tokens } = await app.signedIn(app.defaultApplicationId);
      const alone = await app.client(header(name, tokens.refreshToken)).post("/v1/auth/refresh");
      expect(alone.cookies.map((cookie) => cookie.name)).toEqual(["__Host-sallyport_at", name]);
      const answer = await app.client(header(name, "stray", String(alone.body.refresh_token))).post("/v1/auth/refresh");
      const refresh = answer.cookies.filter((cookie) => cookie.name === name);
      expect(refresh.at(-1)).toMatchObject({ value: answer.body.refresh_token, attributes: { path: "/v1/auth" } });
      const places = refresh.slice(0, -1).map(({ value, attributes }) => {
        expect([value, attributes["max-age"], attributes.secure]).toEqual(["", "0", ""]);
        return `${attributes.domain ?? "host"} ${attributes.path}`;
      });
      expect(places.toSorted()).toEqual(
        ["host", "login.example.com", "example.com"]
          .flatMap((domain) => ["/", "/v1", "/v1/auth", "/v1/auth/refresh"].map((path) => `${domain} ${path}`))
          .filter((place) => place !== "host /v1/auth")
          .toSorted(),
      );
    },
    HTTPS,
  );

  t.test(
    "the headers that remove strays fit into a proxy's buffer of 4 kB, beside the new tokens",
    async (app) => {
      const { tokens } = await app.signedIn(app.applicationId);
      const short = app.applicationId.slice(-12);
      const names = ["__Secure-sallyport_rt", "sallyport_rt", "sallyport_at"].map((name) => `${name}_${short}`);
      const strays = names.flatMap((name) => [`${name}=one`, `${name}=two`]).join("; ");
      const cookie = `${strays}; ${names[0]}=${tokens.refreshToken}`;
      const client = app.client({ cookie, "x-application-id": app.applicationId });
      const answer = await client.post("/t/default/v1/auth/refresh");
      expect(answer.status).toBe(200);
      expect([...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("").length).toBeLessThan(4_000);
      const removed = answer.cookies.filter(({ value }) => value === "");
      const places = removed.map(({ name, attributes }) => `${name} ${attributes.domain ?? "host"} ${attributes.path}`);
      for (const place of ["host /", "login.example.com /", "example.com /", "example.com /t/default/v1/auth"]) {
        expect(places).toContain(`${names[0]} ${place}`);
      }
    },
    HTTPS,
  );

  t.test("a sign-out removes the cookie wherever it came from, and ends its session", async (app) => {
    const { tokens } = await app.signedIn(app.defaultApplicationId);
    const out = await app.client(header(names.refresh, "stray", tokens.refreshToken)).post("/v1/auth/logout");
    expect(out.status).toBe(200);
    const paths = out.cookies.filter(({ name }) => name === names.refresh).map(({ attributes }) => attributes.path);
    expect(paths).toContain("/");
    expect(paths.at(-1)).toBe("/v1/auth");
    expect((await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken })).code).toBe(
      "token_revoked",
    );
    const junk = await app.client(header(names.refresh, "stray")).post("/v1/auth/logout");
    expect([junk.status, junk.cookies.at(-1)?.name]).toEqual([401, names.refresh]);
    const foreign = await app
      .page("https://evil.example")
      .post("/v1/auth/logout", {}, { headers: header(names.refresh, "stray") });
    expect(foreign.cookies).toEqual([]);
  });

  t.test(
    "a cookie from the time when its name was another application's ends as nobody, not as an error for ever",
    async (app) => {
      const { tokens } = await app.signedIn(app.applicationId);
      const answer = await app.client(header(names.refresh, tokens.refreshToken)).post("/v1/auth/refresh");
      expect([answer.status, answer.cookies.at(-1)?.value]).toEqual([401, ""]);
    },
  );

  t.test(
    "cookies from before https are removed",
    async (app) => {
      const { tokens } = await app.signedIn(app.defaultApplicationId);
      const cookie = `sallyport_at=old; sallyport_rt=old; __Secure-sallyport_rt=${tokens.refreshToken}`;
      const { status, cookies } = await app.client({ cookie }).post("/v1/auth/refresh");
      expect(status).toBe(200);
      const removed = cookies
        .filter(({ value }) => value === "")
        .map(({ name, attributes }) => `${name} ${attributes.path}`);
      expect(removed).toContain("sallyport_at /");
      expect(removed).toContain("sallyport_rt /v1/auth");
      expect(cookies.filter(({ value }) => value !== "").map(({ name }) => name)).toEqual([
        "__Host-sallyport_at",
        "__Secure-sallyport_rt",
      ]);
    },
    HTTPS,
  );
});

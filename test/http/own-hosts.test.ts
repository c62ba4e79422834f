import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { beginRegistration, completeRegistration, newAuthenticator } from "../support/passkeys.ts";
import { sendRaw } from "../support/raw-http.ts";
import { scenarios } from "../support/scenarios.ts";
import { PASSWORD } from "../support/template.ts";

const settings = { tenant_hosts: ["login.acme.example=acme", "login.umbrella.example:8443=umbrella"] };
const https = { publicUrl: "https://login.example.com", settings };

async function page(app: TestApp, slug: string, headers: Record<string, string>) {
  const tenant = await app.tenant(slug);
  const user = await app.user(`eve@${slug}.example`, tenant.id);
  return app.client(headers).post("/v1/auth/login", user.login);
}

scenarios("pages at a tenant's own host", (t) => {
  t.test(
    "sign in there under https, with cookies and readable answers",
    async (app) => {
      for (const [slug, host] of [
        ["acme", "login.acme.example"],
        ["umbrella", "login.umbrella.example:8443"],
      ] as const) {
        const headers = { host, origin: `https://${host}`, "sec-fetch-site": "same-origin" };
        const answer = await page(app, slug, headers);
        expect([slug, answer.status, answer.cookies.length > 0]).toEqual([slug, 200, true]);
        expect(answer.headers.get("access-control-allow-origin")).toBe(`https://${host}`);
        const preflight = await app.client(headers).send("OPTIONS", "/v1/auth/login");
        expect([slug, preflight.status]).toEqual([slug, 204]);
      }
    },
    https,
  );

  t.test(
    "are foreign to every other tenant, whatever the request names (CSRF)",
    async (app) => {
      const acme = await app.tenant("acme");
      const user = await app.user();
      const origin = "https://login.acme.example";
      const body = { email: user.email, password: PASSWORD };
      const before = await app.state();
      for (const [path, headers] of [
        ["/v1/auth/login", {}],
        ["/t/default/v1/auth/login", {}],
        ["/v1/auth/login", { "x-application-id": app.applicationId }],
      ] as const) {
        const answer = await app.client({ ...headers, origin }).post(path, body);
        expect([path, answer.code, answer.cookies]).toEqual([path, "origin_not_allowed", []]);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
      expect((await app.client({ origin }).send("OPTIONS", "/v1/auth/login")).code).toBe("origin_not_allowed");
      expect(await app.state()).toBe(before);
      // The public URL serves every tenant, so its pages may act for each.
      const eve = await app.user("eve@acme.example", acme.id);
      const own = app.client({ origin: "https://login.example.com" });
      expect((await own.post("/t/acme/v1/auth/login", eve.login)).status).toBe(200);
    },
    https,
  );

  t.test(
    "are foreign under another scheme, port or spelling",
    async (app) => {
      const tenant = await app.tenant("acme");
      const user = await app.user("eve@acme.example", tenant.id);
      const host = "login.acme.example";
      for (const origin of [
        `http://${host}`,
        `https://${host}:444`,
        `https://${host}:443`,
        `https://${host}..`,
        "null",
      ]) {
        const answer = await app.client({ host, origin }).post("/v1/auth/login", user.login);
        expect([origin, answer.code]).toEqual([origin, "origin_not_allowed"]);
      }
    },
    https,
  );
});

scenarios("a passkey at a tenant's own host", (t) => {
  t.test(
    "is added by its page, and by no page of another tenant's host",
    async (app) => {
      await app.tenant("umbrella");
      const acme = await app.tenant("acme");
      const id = await app.application({ passkey_rp_id: "acme.example" }, acme.id);
      const { accessToken } = await app.signIn(await app.user("eve@acme.example", acme.id), id);
      const client = app.client().bearer(accessToken);
      const add = async (origin: string) => {
        const { flow_id, public_key } = await beginRegistration(client);
        // This authenticator signs for any page, as a browser never would.
        const response = newAuthenticator({ origin }).create(public_key);
        return (await completeRegistration(client, flow_id, response)).status;
      };
      expect(await add("https://login.umbrella.example:8443")).toBe(401);
      expect(await add("https://login.acme.example")).toBe(201);
    },
    https,
  );
});

scenarios("hosts compare as RFC 9110 says", (t) => {
  t.test(
    "in any case, with the default port of the public URL or without it, and with the last dot of a name",
    async (app) => {
      const path = "/t/acme/v1/revocations";
      await app.tenant("acme");
      const status = async (host: string) => (await sendRaw(app, [`GET ${path} HTTP/1.1`, `Host: ${host}`])).status;
      for (const name of ["login.example.com", "login.acme.example"]) {
        for (const host of [name, name.toUpperCase(), `${name}:443`, `${name}:`, `${name}.`, `${name}.:443`]) {
          expect([host, await status(host)]).toEqual([host, 200]);
        }
        for (const host of [
          `${name}:80`,
          `${name}:8443`,
          `${name}..`,
          `.${name}`,
          `${name}:443:443`,
          `${name}/`,
          `a@${name}`,
        ]) {
          expect([host, await status(host)]).toEqual([host, 421]);
        }
      }
    },
    { publicUrl: "https://login.example.com", settings: { tenant_hosts: ["Login.Acme.example:443=acme"] } },
  );
});

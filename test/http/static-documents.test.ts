import { expect } from "bun:test";
import { MINUTE } from "../../src/core/clock.ts";
import type { TestApp } from "../support/app.ts";
import { sqliteScenarios } from "../support/scenarios.ts";
import { APP_ORIGIN } from "../support/template.ts";

const PATHS = [
  "/.well-known/jwks.json",
  "/.well-known/jwks.json/.well-known/jwks.json",
  "/oauth2/jwks",
  "/oauth2/jwks/.well-known/jwks.json",
];

/** Runs a listener as a process does, with the documents that it answers by itself. */
async function listening(app: TestApp, run: (url: string) => Promise<void>): Promise<void> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(null, { status: 503 }) });
  const stop = await app.app.serveOn(server);
  try {
    await run(`http://127.0.0.1:${server.port}`);
  } finally {
    stop();
    await server.stop(true);
  }
}

const host = (app: TestApp) => ({ host: new URL(app.publicUrl).host });
const kids = async (app: TestApp, url: string): Promise<string[]> => {
  const answer = await fetch(`${url}/oauth2/jwks`, { headers: host(app) });
  return ((await answer.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
};
/** Whether the listener answered by itself: only a handler gives its answers a request id. */
const isStatic = async (app: TestApp, url: string) =>
  !(await fetch(`${url}/oauth2/jwks`, { headers: host(app) })).headers.has("x-request-id");

sqliteScenarios("public documents that the listener answers by itself", (t) => {
  t.test("differ from the handlers' documents only in the request id", async (app) => {
    await listening(app, async (url) => {
      for (const path of PATHS) {
        const own = await fetch(url + path);
        const handled = await app.client().get(path);
        const expected = Object.fromEntries(handled.headers);
        expect(expected["x-request-id"]).toBeString();
        delete expected["x-request-id"];
        const found = Object.fromEntries(own.headers);
        for (const headers of [expected, found]) delete headers.date;
        expect([path, found, await own.text()]).toEqual([path, expected, handled.text]);
      }
    });
  });

  t.test("answer HEAD, 304 and 405 like every other address", async (app) => {
    await listening(app, async (url) => {
      for (const path of PATHS) {
        const etag = (await fetch(url + path)).headers.get("etag") ?? "";
        const head = await fetch(url + path, { method: "HEAD" });
        expect([path, head.status, head.headers.get("etag"), await head.text()]).toEqual([path, 200, etag, ""]);
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
          const again = await fetch(url + path, { headers: { "if-none-match": known } });
          expect([path, known, again.status, again.headers.get("etag")]).toEqual([path, known, 304, etag]);
        }
        expect((await fetch(url + path, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
        for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
          const answer = await fetch(url + path, { method, headers: host(app) });
          expect([path, method, answer.status]).toEqual([path, method, 405]);
        }
        const preflight = { ...host(app), origin: APP_ORIGIN, "access-control-request-method": "GET" };
        const allowed = await fetch(url + path, { method: "OPTIONS", headers: preflight });
        expect([path, allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([
          path,
          204,
          APP_ORIGIN,
        ]);
      }
    });
  });

  t.test("have a new key at once, and keep a rotated key until it expires", async (app) => {
    await listening(app, async (url) => {
      expect(await isStatic(app, url)).toBe(true);
      const before = await kids(app, url);
      const made = await app.identity.keyring.rotate(app.tenantId, "EdDSA");
      expect((await kids(app, url)).toSorted()).toEqual([...before, made].toSorted());
    });
  });

  t.test("come from the handlers after this process has dropped its keys", async (app) => {
    await listening(app, async (url) => {
      expect(await isStatic(app, url)).toBe(true);
      app.identity.keyring.forget();
      expect(await isStatic(app, url)).toBe(false);
    });
  });

  t.test("differ under a tenant's path and a tenant's Host", async (app) => {
    const acme = await app.tenant("acme");
    await listening(app, async (url) => {
      const theirs = await fetch(`${url}/t/${acme.slug}/oauth2/jwks`, { headers: host(app) });
      expect(theirs.headers.has("x-request-id")).toBe(true);
      expect(await theirs.text()).toBe((await app.client().get("/t/acme/oauth2/jwks")).text);
    });
  });

  t.test("lose a key when it expires", async (app) => {
    const { keyring } = app.identity;
    await keyring.rotate(app.tenantId, "EdDSA", 0);
    const old = (await keyring.keys(app.tenantId)).find((key) => key.expiresAt !== null);
    await listening(app, async (url) => {
      expect(await kids(app, url)).toContain(old?.id ?? "");
      app.clock.set((old?.expiresAt ?? 0) + MINUTE);
      const until = Date.now() + 30_000;
      while ((await kids(app, url)).includes(old?.id ?? "") && Date.now() < until) await Bun.sleep(50);
      expect(await kids(app, url)).not.toContain(old?.id ?? "");
    });
  });
});

sqliteScenarios("public documents with a Host for each tenant", (t) => {
  t.test(
    "come only from the handlers",
    async (app) => {
      await listening(app, async (url) => {
        expect(await isStatic(app, url)).toBe(false);
      });
    },
    { settings: { tenant_hosts: "acme.example=acme" } },
  );
});

import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";

const PATH = "/.well-known/webauthn";
const originsAt = async (app: TestApp, path: string = PATH) => {
  const { status, body } = await app.client().get(path);
  return status === 200 ? (body as unknown as { origins: string[] }).origins : status;
};
const settings = { publicUrl: "https://login.example.com" };

scenarios("related origins (WebAuthn level 3, section 5.11)", (t) => {
  t.test(
    "are the https origins outside the RP ID's domain, of the tenant's enabled applications with that RP ID",
    async (app) => {
      // The test's own application is on app.example.com, which is not within login.example.com.
      expect(await originsAt(app)).toEqual(["https://app.example.com"]);
      await app.application({
        origins: ["https://shop.example.org", "https://login.example.com:8443", "http://plain.example.org"],
      });
      const below = ["https://a.login.example.com", "https://notlogin.example.com"];
      await app.application({ origins: below });
      const disabled = await app.application({ origins: ["https://gone.example.org"] });
      await app.disable("applications", disabled);
      await app.application({ origins: ["https://other.example.org"], passkey_rp_id: "example.org" });
      const acme = await app.tenant("acme");
      await app.application({ origins: ["https://acme.example.org"] }, acme.id);
      app.clock.advance(2_001);
      expect(await originsAt(app)).toEqual([
        "https://app.example.com",
        "https://shop.example.org",
        "https://notlogin.example.com",
      ]);
      expect(await originsAt(app, "/t/acme/.well-known/webauthn")).toEqual([
        "https://acme.example",
        "https://acme.example.org",
      ]);
      expect(await originsAt(app, "/t/default/.well-known/webauthn")).toEqual((await originsAt(app)) as string[]);
      // All pages of that application are on the domain, so there are no origins to relate.
      expect(await originsAt(app, `${PATH}?rp_id=example.org`)).toBe(404);
      for (const nobody of ["?rp_id=", "?rp_id=evil.example", "?rp_id=%00", `?rp_id=${"x".repeat(3_000)}`]) {
        expect([nobody, await originsAt(app, PATH + nobody)]).toEqual([nobody, 404]);
      }
      expect(await originsAt(app, "/t/nobody/.well-known/webauthn")).toBe(404);
      await app.disable("tenants", acme.id);
      expect(await originsAt(app, "/t/acme/.well-known/webauthn")).toBe(404);
    },
    settings,
  );

  t.test(
    "belong to the default application's domain, or to the requested domain",
    async (app) => {
      await app.storage.write(async (tx) => {
        const changes = { passkey_rp_id: "example.net", origins: '["https://example.net","https://example.co"]' };
        await tx.kysely.updateTable("applications").set(changes).where("id", "=", app.defaultApplicationId).execute();
      });
      app.forget();
      expect(await originsAt(app)).toEqual(["https://example.co"]);
      expect(await originsAt(app, `${PATH}?rp_id=login.example.com`)).toEqual(["https://app.example.com"]);
    },
    settings,
  );

  t.test(
    "are a public document, which any page may read and any cache may keep",
    async (app) => {
      const answer = await app.client().get(PATH);
      expect(answer.headers.get("content-type")).toBe("application/json");
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
      const etag = answer.headers.get("etag") ?? "";
      expect((await app.client({ "if-none-match": etag }).get(PATH)).status).toBe(304);
      expect((await app.client().post(PATH)).status).toBe(405);
    },
    settings,
  );
});

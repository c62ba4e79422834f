import { afterAll, beforeAll, expect } from "bun:test";
import { createHash } from "node:crypto";
import type { TestApp } from "../../support/app.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";

const STOLEN = "plume-harbour-49-zinc";
const PADDED = "violet-gravel-77-oar";
const GOOD = "granite-lantern-moth-88";
const digest = (text: string) => createHash("sha1").update(text).digest("hex").toUpperCase();

/** A service for breached passwords that runs here. It knows one password, and keeps the requests that it gets. */
class Service {
  readonly requests: { path: string; padding: string | null; body: string }[] = [];
  mode: "ok" | "broken" | "slow" | "redirect" = "ok";
  readonly #server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const path = new URL(request.url).pathname;
      this.requests.push({ path, padding: request.headers.get("add-padding"), body: await request.text() });
      if (this.mode === "broken") return new Response("no", { status: 503 });
      if (this.mode === "redirect" && path.startsWith("/range/"))
        return Response.redirect(new URL("/elsewhere/", this.url).href, 302);
      if (this.mode === "slow") await new Promise((resolve) => setTimeout(resolve, 30_000).unref());
      const known = [`${digest(STOLEN).slice(5)}:12`, `${digest(PADDED).slice(5)}:0`, `${"0".repeat(35)}:3`];
      return new Response(known.join("\r\n"));
    },
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/range/`;
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

let service: Service;
const settings = {
  get password_breach_url() {
    return service.url;
  },
};
beforeAll(() => {
  service = new Service();
});
afterAll(() => service.stop());

const register = (app: TestApp, password: string) =>
  app.client().post("/v1/auth/register", { email: `p${crypto.randomUUID()}@example.com`, password });

scenarios("the check of new passwords with a service", (t) => {
  t.test(
    "refuses a breached password wherever one is chosen, and sends five characters of the digest only",
    async (app) => {
      service.mode = "ok";
      service.requests.length = 0;
      const refused = await register(app, STOLEN);
      expect([refused.status, refused.code]).toEqual([400, "invalid_input"]);
      expect(refused.body.error.details).toEqual([
        { path: "password", reason: "This password is in a list of stolen passwords. Choose another one." },
      ]);
      // A count of 0 is padding.
      expect((await register(app, PADDED)).status).toBe(201);
      expect((await register(app, GOOD)).status).toBe(201);
      const user = await app.user();
      await proveAddress(app, user.id);
      const { accessToken } = await app.signIn(user);
      const change = { current_password: user.login.password, new_password: STOLEN };
      const changed = await app.client().bearer(accessToken).post("/v1/auth/password/change", change);
      expect([changed.status, changed.code]).toEqual([400, "invalid_input"]);
      await app.client().post("/v1/auth/password/forgot", { email: user.email });
      const token = (await app.mail(user.email)).link;
      const reset = (new_password: string) => app.client().post("/v1/auth/password/reset", { token, new_password });
      expect((await reset(STOLEN)).code).toBe("invalid_input");
      // The refusal spends no link.
      expect((await reset(GOOD)).status).toBe(200);
      // A sign-in asks nobody.
      const before = service.requests.length;
      expect((await app.client().post("/v1/auth/login", { email: user.email, password: GOOD })).status).toBe(200);
      expect(service.requests).toHaveLength(before);
      for (const { path, padding, body } of service.requests) {
        expect([path.length, padding, body]).toEqual(["/range/".length + 5, "true", ""]);
      }
      const paths = service.requests.map(({ path }) => path);
      expect(paths.slice(0, 3)).toEqual([STOLEN, PADDED, GOOD].map((text) => `/range/${digest(text).slice(0, 5)}`));
    },
    { settings },
  );

  t.test(
    "a service that is broken, slow or moved keeps nobody out, and leaves one line in the log",
    async (app) => {
      for (const mode of ["broken", "redirect", "slow"] as const) {
        service.mode = mode;
        const started = performance.now();
        expect([mode, (await register(app, STOLEN)).status]).toEqual([mode, 201]);
        expect(performance.now() - started).toBeLessThan(15_000);
      }
      service.mode = "ok";
      const told = app.log.lines.filter(({ message }) => message.startsWith("The service for breached passwords"));
      expect(told.map(({ fields }) => fields)).toEqual([{ reason: "it answered 503" }]);
    },
    { settings },
  );
});

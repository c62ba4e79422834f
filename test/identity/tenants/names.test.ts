import { expect, test } from "bun:test";
import { PATH_WORDS, SLUG } from "../../../src/identity/tenants/slug.ts";
import { Inbox } from "../../../src/mail/inbox.ts";
import { startApp, type TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";

const create = (app: TestApp, slug: string, name = "Acme") =>
  app.storage
    .write((tx) => app.identity.applications.createTenantWithDefault(tx, app.clock.now(), { slug, name }))
    .then(
      ({ tenant }) => tenant.name,
      (error) => error.details ?? error,
    );

test("every word of a route that could be a slug is reserved", async () => {
  const app = await startApp({ inbox: new Inbox() });
  const words = new Set(Object.keys(app.app.routes).flatMap((path) => path.split("/")));
  const missing = [...words].filter((word) => SLUG.test(word) && !PATH_WORDS.has(word));
  expect(words.size).toBeGreaterThan(50);
  expect(missing).toEqual([]);
  await app.close();
});

scenarios("a new tenant", (t) => {
  t.test("gets no slug that is a word of the server's own addresses", async (app) => {
    for (const slug of ["trpc", "v1", "t", "oauth2", "healthz", "sign-in"]) {
      const [problem] = await create(app, slug);
      expect([slug, problem.path, problem.reason]).toEqual([
        slug,
        "slug",
        expect.stringContaining(`${slug} is part of`),
      ]);
    }
    expect(await create(app, "trpc-2")).toBe("Acme");
  });

  t.test("gets a name that is one line of text", async (app) => {
    for (const name of ["", "  ", "a\nb", "a\u202eb", "x".repeat(101), "\0"]) {
      expect([name, (await create(app, "acme", name))[0]?.path]).toEqual([name, "name"]);
    }
    expect(await create(app, "acme", " Acme Inc. ")).toBe("Acme Inc.");
  });

  t.test("may have been called trpc before: its tRPC calls still reach its own procedures", async (app) => {
    const acme = await app.tenant("acme");
    await app.storage.write(async (tx) => {
      await tx.kysely.updateTable("tenants").set({ slug: "trpc" }).where("id", "=", acme.id).execute();
    });
    app.forget();
    const user = await app.user("ada@example.com", acme.id);
    const { accessToken } = await app.signIn(user, acme.applicationId);
    const answer = await app.client().bearer(accessToken).get("/t/trpc/trpc/auth.session");
    expect([answer.status, JSON.parse(answer.text).result?.data.user.id]).toEqual([200, user.id]);
  });
});

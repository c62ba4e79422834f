import { expect } from "bun:test";
import { scenarios } from "../support/scenarios.ts";
import { APP_ORIGIN } from "../support/template.ts";

scenarios("smoke", (t) => {
  for (let i = 0; i < 8; i++)
  t.test(`works ${i}`, async (app) => {
    const { tokens } = await app.signedIn();
    const answer = await app.client().bearer(tokens.accessToken).get("/v1/auth/session");
    expect(answer.status).toBe(200);
    const made = await app.page(APP_ORIGIN, {"x-application-id": app.applicationId}).post("/v1/auth/register", { email: "a@example.com", password: "plover-quartz-hinge-19" });
    expect(made.status).toBe(201);
    expect(made.cookies.length).toBe(2);
  });
  t.test("https", async (app) => {
    const made = await app.client().post("/v1/auth/register", { email: "a@example.com", password: "plover-quartz-hinge-19" });
    console.log(made.cookies, made.headers);
  }, { publicUrl: "https://login.example.com" });
});

import { expect } from "bun:test";
import { scenarios } from "../support/scenarios.ts";

scenarios("the Authorization header", (t) => {
  t.test("takes a token after a space or a tab, in any case, and no second token", async (app) => {
    const user = await app.user();
    const { body } = await app.client().post("/v1/auth/login", user.login);
    const { access_token: token } = body;
    const ask = async (authorization: string) =>
      (await app.client().get("/v1/auth/session", { headers: { authorization } })).status;
    for (const before of ["Bearer ", "Bearer\t", "bearer \t", "BEARER  "]) {
      expect([before, await ask(`${before}${token}`)]).toEqual([before, 200]);
    }
    for (const value of [`Bearer${token}`, `Bearer ${token} ${token}`, `Bearer ${token}\t${token}`, `Basic ${token}`]) {
      expect([value.slice(0, 9), await ask(value)]).toEqual([value.slice(0, 9), 401]);
    }
  });
});

import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

scenarios("an old password", (t) => {
  t.test(
    "signs in after ten years as on the first day, because it does not expire by age (ASVS 6.2.10)",
    async (app) => {
      const user = await app.user();
      const body = { email: user.email, password: PASSWORD };
      const first = await app.client().post("/v1/auth/login", body);
      app.clock.advance(3_650 * DAY);
      const later = await app.client().post("/v1/auth/login", body);
      expect([first.status, later.status]).toEqual([200, 200]);
      expect(Object.keys(later.body).sort()).toEqual(Object.keys(first.body).sort());
      expect(later.body.status).toBe("success");
    },
  );
});

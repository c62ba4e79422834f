import { expect } from "bun:test";
import { scenarios } from "../../support/scenarios.ts";

scenarios("display_name at sign-up", (t) => {
  t.test("refuses control characters: PostgreSQL takes no NUL, and a log line is one line", async (app) => {
    const before = await app.state();
    for (const display_name of ["a\u0000b", "a\nb", "\u001b[31mred", "\u007f", "half \ud800"]) {
      const body = { email: "ada@example.com", password: "walnut-bridge-otter-51", display_name };
      const refused = await app.client().post("/v1/auth/register", body);
      expect([JSON.stringify(display_name), refused.status]).toEqual([JSON.stringify(display_name), 400]);
      expect(refused.body.error.details).toMatchObject([{ path: "display_name" }]);
    }
    expect(await app.state()).toBe(before);
  });
});

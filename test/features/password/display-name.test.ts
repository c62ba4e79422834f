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

  t.test("refuses each control character of writing direction, and takes names of both directions", async (app) => {
    const give = (display_name: string, email: string) =>
      app.client().post("/v1/auth/register", { email, password: "walnut-bridge-otter-51", display_name });
    const before = await app.state();
    const controls = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069";
    for (const control of controls) {
      const refused = await give(`a${control}b`, "ada@example.com");
      expect([control.codePointAt(0), refused.status]).toEqual([control.codePointAt(0), 400]);
      expect(refused.body.error.details).toMatchObject([{ path: "display_name" }]);
    }
    expect(await app.state()).toBe(before);
    expect((await give("דנה ada", "ada@example.com")).status).toBe(201);
  });
});

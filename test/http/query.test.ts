import { expect } from "bun:test";
import { scenarios } from "../support/scenarios.ts";

scenarios("numbers and truth values", (t) => {
  t.test("are decimal digits, true and false in a query, and JSON's own on tRPC's wire", async (app) => {
    for (let made = 0; made < 3; made++) await app.user();
    const key = app.client().bearer(app.secretKey);
    const rest = async (query: string) => {
      const { status, body } = await key.get(`/v1/users?${query}`);
      return status === 200 ? body.data.length : (body.error.details as { path: string }[] | null)?.[0]?.path;
    };
    expect([await rest("limit=2"), await rest("limit=2&anonymous=false"), await rest("anonymous=true")]).toEqual([
      2, 2, 0,
    ]);
    for (const limit of [
      "",
      "0",
      "101",
      "-1",
      "0x2",
      "1e1",
      "2.0",
      "+2",
      " 2",
      "2%20",
      "true",
      "null",
      "%5B%5D",
      "9".repeat(20),
    ]) {
      expect([limit, await rest(`limit=${limit}`)]).toEqual([limit, "limit"]);
    }
    for (const value of ["1", "0", "TRUE", "", "yes"]) {
      expect([value, await rest(`anonymous=${value}`)]).toEqual([value, "anonymous"]);
    }
    const trpc = async (input: unknown) => {
      const { status, text } = await key.query("users.list", input);
      const parsed = JSON.parse(text);
      return status === 200 ? parsed.result.data.data.length : parsed.error.data.error.details[0].path;
    };
    expect([await trpc({ limit: 2 }), await trpc({ limit: 2, anonymous: false })]).toEqual([2, 2]);
    for (const limit of ["2", true, [2], null, 2.5, {}])
      expect([limit, await trpc({ limit })]).toEqual([limit, "limit"]);
    expect(await trpc({ anonymous: "true" })).toBe("anonymous");
  });
});

import { expect } from "bun:test";
import { MANAGEMENT } from "../../src/identity/clients/administration.ts";
import type { TestApp } from "../support/app.ts";
import { machine, tokenOf } from "../support/machines.ts";
import { sendRaw } from "../support/raw-http.ts";
import { scenarios } from "../support/scenarios.ts";

const trusted_proxies = ["127.0.0.1/32", "10.0.0.0/8"];

/** Signs a user in and returns the address that the session notes. */
async function addressSeen(app: TestApp, headers: readonly string[]): Promise<unknown> {
  const { id, login } = await app.user();
  const body = JSON.stringify(login);
  const lines = [
    "POST /v1/auth/login HTTP/1.1",
    `Host: ${new URL(app.publicUrl).host}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  expect((await sendRaw(app, [...lines, ...headers], body)).status).toBe(200);
  const query = app.storage.read.kysely.selectFrom("sessions").select("address").where("user_id", "=", id);
  return (await query.executeTakeFirstOrThrow()).address;
}

const complaints = (app: TestApp) => app.log.lines.filter(({ message }) => message.includes("trusted proxy"));

scenarios("the client's address behind a proxy", (t) => {
  t.test(
    "is read in every form that proxies write: ports, brackets, quotes, several lines",
    async (app) => {
      for (const [headers, expected] of [
        [["X-Forwarded-For: 203.0.113.9:51234"], "203.0.113.9"],
        [["X-Forwarded-For: 198.51.100.1, 203.0.113.9:51234"], "203.0.113.9"],
        [["X-Forwarded-For: [2001:db8::9]:51234"], "2001:db8:0:0:0:0:0:9"],
        [['X-Forwarded-For: "[2001:db8::9]:51234"'], "2001:db8:0:0:0:0:0:9"],
        [["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.9:1, 10.0.0.1:80"], "203.0.113.9"],
        [["Forwarded: for=198.51.100.1", "X-Forwarded-For: 203.0.113.9"], "203.0.113.9"],
      ] as const) {
        expect([headers, await addressSeen(app, headers)]).toEqual([headers, expected]);
      }
      expect(complaints(app)).toEqual([]);
    },
    { settings: { trusted_proxies } },
  );

  t.test(
    "is that of the proxy if the proxy names none, and the log says so once",
    async (app) => {
      for (const hop of ["unknown", "198.51.100.1, unknown", "unix:", "unknown"]) {
        expect([hop, await addressSeen(app, [`X-Forwarded-For: ${hop}`])]).toEqual([hop, "127.0.0.1"]);
      }
      const [line, ...more] = complaints(app);
      expect(more).toEqual([]);
      expect(line?.level).toBe("warn");
      expect(line?.fields).toEqual({ proxy: "127.0.0.1", header: "x-forwarded-for", hop: "unknown" });
      expect(line?.message).toContain("client_address_header");
    },
    { settings: { trusted_proxies } },
  );

  t.test("is the peer's without trusted proxies, and nothing is logged", async (app) => {
    expect(await addressSeen(app, ["X-Forwarded-For: unknown"])).toBe("127.0.0.1");
    expect(complaints(app)).toEqual([]);
  });

  t.test(
    "is read from Forwarded if that is configured (RFC 7239), and X-Forwarded-For then has no effect",
    async (app) => {
      for (const [headers, expected] of [
        [['Forwarded: for=1.1.1.1, for="203.0.113.9:4711";proto=https, for=10.0.0.1'], "203.0.113.9"],
        [['Forwarded: for="[2001:db8::9]:4711"'], "2001:db8:0:0:0:0:0:9"],
        [["Forwarded: for=203.0.113.9", "X-Forwarded-For: 198.51.100.1"], "203.0.113.9"],
        // The client's open quote does not hide the line that the proxy adds.
        [['Forwarded: for="1.1.1.1', "Forwarded: for=203.0.113.9"], "203.0.113.9"],
        [["X-Forwarded-For: 198.51.100.1"], "127.0.0.1"],
      ] as const) {
        expect([headers, await addressSeen(app, headers)]).toEqual([headers, expected]);
      }
    },
    { settings: { trusted_proxies, client_address_header: "Forwarded" } },
  );

  t.test(
    "is read from any other header that is configured",
    async (app) => {
      expect(await addressSeen(app, ["X-Real-IP: 203.0.113.9", "X-Forwarded-For: 198.51.100.1"])).toBe("203.0.113.9");
    },
    { settings: { trusted_proxies, client_address_header: "x-real-ip" } },
  );

  t.test("is never what a machine's token states, even with the scope admin", async (app) => {
    const token = await tokenOf(app, await machine(app, { grants: { [MANAGEMENT]: ["admin"] } }));
    const client = app.client({ "x-client-address": "203.0.113.9" }).bearer(token);
    const refused = await client.get("/v1/users");
    expect([refused.status, refused.code]).toEqual([403, "insufficient_scope"]);
    expect(refused.text).toContain("secret key");
    expect((await app.client().bearer(token).get("/v1/users")).status).toBe(200);
  });
});

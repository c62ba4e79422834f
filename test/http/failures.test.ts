import { expect } from "bun:test";
import { sql } from "kysely";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";
import { PASSWORD } from "../support/template.ts";

/** Sends a request without the test client, which accepts no internal error. */
async function send(app: TestApp, method: string, path: string, token: string | null, json?: unknown) {
  const headers: Record<string, string> = { host: new URL(app.publicUrl).host };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (json !== undefined) headers["content-type"] = "application/json";
  const init = { method, headers, ...(json === undefined ? {} : { body: JSON.stringify(json) }) };
  const response = await fetch(app.url + path, init);
  return { status: response.status, cookies: response.headers.getSetCookie(), text: await response.text() };
}

/** Takes the audit log away. The next test finds it in its place, even if this test fails. */
async function renameAuditLog(app: TestApp) {
  let isAway = false;
  const rename = async (statement: ReturnType<typeof sql>) => {
    await app.storage.write(async (tx) => void (await statement.execute(tx.kysely)));
    isAway = !isAway;
  };
  const back = () => rename(sql`ALTER TABLE audit_away RENAME TO audit_entries`);
  await rename(sql`ALTER TABLE audit_entries RENAME TO audit_away`);
  return { back, [Symbol.asyncDispose]: async () => void (isAway && (await back())) };
}

scenarios("an internal failure (ASVS 16.5.1, 16.5.3, 16.5.4)", (t) => {
  t.test("undoes every change that the audit log cannot record", async (app) => {
    const { user, tokens } = await app.signedIn();
    const other = await app.signIn(user);
    await using renamed = await renameAuditLog(app);
    const before = await app.state();
    const acts: [string, string, string | null, unknown][] = [
      ["POST", "/v1/auth/register", null, { email: "eve@example.com", password: "walnut-bridge-otter-51" }],
      ["POST", "/v1/auth/login", null, user.login],
      ["POST", "/v1/auth/login", null, { ...user.login, password: "not-the-right-password" }],
      ["POST", "/v1/auth/logout", tokens.accessToken, {}],
      ["DELETE", "/v1/auth/sessions", tokens.accessToken, undefined],
      ["DELETE", `/v1/auth/sessions/${other.session.sid}`, tokens.accessToken, undefined],
      [
        "POST",
        "/v1/auth/password/change",
        tokens.accessToken,
        { current_password: PASSWORD, new_password: "granite-lantern-moth-88" },
      ],
    ];
    for (const [method, path, token, json] of acts) {
      const answer = await send(app, method, path, token, json);
      expect([path, answer.status, answer.cookies]).toEqual([path, 500, []]);
      const { error } = JSON.parse(answer.text);
      expect(error).toEqual({
        code: "internal_error",
        message: "Something went wrong on the server. Quote the request id when you report it.",
        type: "api_error",
        request_id: expect.any(String),
        details: null,
      });
      for (const told of ["audit", "SQL", "sqlite", "postgres", "/src/", "relation"])
        expect(answer.text).not.toContain(told);
      // The log has the cause, with the request id that the caller got (ASVS 16.3.4).
      const line = app.log.lines.at(-1);
      expect(line).toMatchObject({ level: "error", fields: { request_id: error.request_id } });
      expect(String(line?.fields.err)).toContain("audit_entries");
    }
    expect((await app.state()).replaceAll("audit_away", "")).toBe(before.replaceAll("audit_away", ""));
    expect((await send(app, "GET", "/v1/auth/session", tokens.accessToken)).status).toBe(200);
    await renamed.back();
    expect((await send(app, "POST", "/v1/auth/login", null, user.login)).status).toBe(200);
  });

  t.test("caused by an unreadable password hash lets nobody sign in", async (app) => {
    const user = await app.user();
    for (const hash of [
      "",
      "x",
      "plain-text-password",
      "p9$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA",
      "p1$argon2id$v=19$m=8,t=1,p=1$$",
    ]) {
      await app.storage.write(
        async (tx) => void (await tx.kysely.updateTable("password_credentials").set({ hash }).execute()),
      );
      const answer = await send(app, "POST", "/v1/auth/login", null, user.login);
      expect([hash, answer.status === 500 || answer.status === 401, answer.cookies]).toEqual([hash, true, []]);
      app.clock.advance(3_600_000);
    }
  });
});

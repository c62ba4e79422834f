import { expect, test } from "bun:test";
import { startApp, type TestApp } from "./app.ts";

/** Checks that the judge itself refuses faulty answers. */
async function judged(run: (app: TestApp, body: Record<string, unknown>) => void): Promise<void> {
  const app = await startApp();
  const { tokens } = await app.signedIn();
  const { text } = await app.client().bearer(tokens.accessToken).get("/v1/auth/session");
  try {
    run(app, JSON.parse(text));
  } finally {
    await app.close();
  }
}

test("accepts an answer that matches the description, also under a tenant's path", () =>
  judged((app, body) => {
    app.contract.check("GET", "/v1/auth/session", 200, body);
    app.contract.check("GET", "/t/default/v1/auth/session", 200, body);
  }));

test("refuses an extra field at any depth, on both transports", () =>
  judged((app, body) => {
    const deep = { ...body, user: { ...(body.user as object), password_hash: "x" } };
    for (const leaky of [{ ...body, extra: 1 }, deep]) {
      expect(() => app.contract.check("GET", "/v1/auth/session", 200, leaky)).toThrow(
        "must NOT have additional properties",
      );
      const item = { result: { data: leaky } };
      expect(() => app.contract.checkTrpc("auth.session", item)).toThrow("must NOT have additional properties");
    }
  }));

test("refuses a field that is missing or has another type", () =>
  judged((app, { organization: _, ...body }) => {
    expect(() => app.contract.check("GET", "/v1/auth/session", 200, body)).toThrow("organization");
    expect(() => app.contract.check("GET", "/v1/auth/session", 200, { ...body, organization: undefined })).toThrow();
  }));

test("refuses an undeclared status or code, and every internal error", () =>
  judged((app, body) => {
    expect(() => app.contract.check("GET", "/v1/auth/session", 202, body)).toThrow("does not declare");
    const error = { code: "conflict", message: "", type: "", request_id: "", details: null };
    expect(() => app.contract.check("GET", "/v1/auth/session", 401, { error })).toThrow("allowed values");
    expect(() => app.contract.check("GET", "/nowhere", 404, { error: { code: "x" } })).toThrow("request_id");
    expect(() => app.contract.check("GET", "/nowhere", 500, {})).toThrow("internal error");
  }));

test("finds a secret in the database when the application closes", async () => {
  const app = await startApp();
  const { tokens } = await app.signedIn();
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("sessions").set({ user_agent: tokens.accessToken }).execute();
  });
  await expect(app.close()).rejects.toThrow("database holds a secret");
});

test("finds a secret in the log when the application closes", async () => {
  const app = await startApp();
  const { tokens } = await app.signedIn();
  app.log.warn({ token: tokens.refreshToken }, "careless");
  await expect(app.close()).rejects.toThrow("log holds a secret");
});

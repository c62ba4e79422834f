import { expect } from "bun:test";
import { AppError } from "../../../src/core/errors.ts";
import { startApp, type TestApp } from "../../support/app.ts";
import { eventually } from "../../support/eventually.ts";
import { scenarios } from "../../support/scenarios.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const GRACE = 2 * MINUTE;

const refresh = (app: TestApp, token: string | null) => app.client().post("/v1/auth/refresh", { refresh_token: token });

/** Commits the next write, and then stalls as a disk or database does: `stall` ends it, or rejects for a lost answer. */
function stallNextWrite(app: TestApp, stall: () => Promise<void>): void {
  const write = app.storage.write.bind(app.storage);
  app.storage.write = async (work) => {
    app.storage.write = write;
    const result = await write(work);
    await stall();
    return result;
  };
}

const expectTheft = async (app: TestApp, token: string | null) => {
  expect((await refresh(app, token)).code).toBe("token_revoked");
  expect(await app.audit()).toContain("refresh_token.reused");
};

scenarios("a refresh while the database or the disk stalls", (t) => {
  t.test("the grace counts from the moment at which the answer could leave", async (app) => {
    const { tokens } = await app.signedIn();
    stallNextWrite(app, async () => app.clock.advance(10 * MINUTE));
    const lost = await refresh(app, tokens.refreshToken);
    app.clock.advance(GRACE - SECOND);
    const again = await refresh(app, tokens.refreshToken);
    expect([again.status, again.body.refresh_token]).toEqual([200, lost.body.refresh_token]);
    app.clock.advance(2 * SECOND);
    await expectTheft(app, tokens.refreshToken);
  });

  t.test("the owner's retry in the middle of the stall gets the same successor", async (app) => {
    const { tokens } = await app.signedIn();
    const stall = Promise.withResolvers<void>();
    stallNextWrite(app, () => stall.promise);
    const first = refresh(app, tokens.refreshToken);
    await eventually(async () => {
      const row = await app.storage.read.kysely.selectFrom("sessions").select("generation").executeTakeFirstOrThrow();
      expect(row.generation).toBe(2);
    });
    app.clock.advance(10 * MINUTE);
    const retry = await refresh(app, tokens.refreshToken);
    stall.resolve();
    expect([retry.status, retry.body.refresh_token]).toEqual([200, (await first).body.refresh_token]);
  });

  t.test("a commit whose answer was lost begins the grace with the first answered retry", async (app) => {
    const { tokens } = await app.signedIn();
    stallNextWrite(app, () => Promise.reject(new AppError("outcome_unknown", { retryAfter: 1 })));
    expect((await refresh(app, tokens.refreshToken)).code).toBe("outcome_unknown");
    app.clock.advance(10 * MINUTE);
    const retry = await refresh(app, tokens.refreshToken);
    app.clock.advance(GRACE - SECOND);
    const again = await refresh(app, tokens.refreshToken);
    expect([retry.status, again.body.refresh_token]).toEqual([200, retry.body.refresh_token]);
    app.clock.advance(2 * SECOND);
    await expectTheft(app, tokens.refreshToken);
  });

  t.test("a stolen predecessor ends the family once its successor was used, even after a stall", async (app) => {
    const { tokens } = await app.signedIn();
    stallNextWrite(app, async () => app.clock.advance(MINUTE));
    const second = await refresh(app, tokens.refreshToken);
    const third = await refresh(app, second.body.refresh_token);
    expect(third.status).toBe(200);
    await expectTheft(app, tokens.refreshToken);
    expect((await refresh(app, third.body.refresh_token)).code).toBe("token_revoked");
  });

  t.test("a node that did not see the stall allows the grace that the row shows", async (app) => {
    const { tokens } = await app.signedIn();
    const other = await startApp({ beside: app });
    stallNextWrite(app, async () => app.clock.advance(GRACE - SECOND));
    const lost = await refresh(app, tokens.refreshToken);
    const retry = await refresh(other, tokens.refreshToken);
    expect([retry.status, retry.body.refresh_token]).toEqual([200, lost.body.refresh_token]);
    app.clock.advance(2 * SECOND);
    await expectTheft(other, tokens.refreshToken);
    await other.close();
  });
});

import { expect } from "bun:test";
import { sql } from "kysely";
import { newId } from "../../../src/core/ids.ts";
import { userRef } from "../../../src/identity/audit/act.ts";
import { insertSession, liveSessionIds } from "../../../src/identity/sessions/store.ts";
import { lockUser } from "../../../src/identity/users/store.ts";
import type { TestApp, TestUser } from "../../support/app.ts";
import { eventually } from "../../support/eventually.ts";
import { postgresScenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor } from "../../support/second-factors.ts";
import { totp } from "../../support/totp.ts";

/** Makes a place where a transaction stops until it is released. */
function halt() {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const here = async () => {
    reached.resolve();
    await opened.promise;
  };
  return { here, reached: reached.promise, open: () => opened.resolve() };
}

/** Waits until a transaction of this database waits for another one. */
async function untilOneWaits(app: TestApp): Promise<void> {
  await eventually(async () => {
    const { rows } = await sql`SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(app.storage.read.kysely);
    if (rows.length === 0) throw new Error("nothing waits");
  });
}

/** Changes a factor as every caller does: with the lock on the user's row. Nothing that was proven before may continue. */
async function change(app: TestApp, user: TestUser): Promise<void> {
  const act = (await app.act()).by(userRef(user.id));
  const made = { userId: user.id, keep: null, reason: "totp_removed" } as const;
  await app.storage.write(async (tx) => {
    await lockUser(tx, app.tenantId, user.id, app.clock.now());
    await app.identity.accounts.credentialChanged(tx, app.clock.now(), act, made);
  });
}

postgresScenarios("a change of a factor during another request (ASVS 7.4.3)", (t) => {
  t.test("a session that is stepping up does not continue under its new id", async (app) => {
    const { user } = await app.signedIn();
    const act = await app.act();
    const row = await app.storage.read.kysely.selectFrom("sessions").selectAll().executeTakeFirstOrThrow();
    const place = halt();
    const step = app.storage.write(async (tx) => {
      await app.identity.sessions.end(tx, act, row.id, "replaced");
      insertSession(tx, { ...row, id: newId(app.clock.now()) });
      await place.here();
    });
    await place.reached;
    const changed = change(app, user);
    await untilOneWaits(app);
    place.open();
    await Promise.all([step, changed]);
    expect(await liveSessionIds(app.storage.read, user.id, null)).toEqual([]);
  });

  t.test("a sign-in that found no second factor leaves no session beside a set-up", async (app) => {
    const { user, tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const { secret } = (await client.post("/v1/auth/mfa/setup")).body;
    const { secondFactors } = app.identity;
    const enrolledNow = secondFactors.enrolled.bind(secondFactors);
    const place = halt();
    secondFactors.enrolled = async (...args) => {
      const found = await enrolledNow(...args);
      secondFactors.enrolled = enrolledNow;
      await place.here();
      return found;
    };
    const signingIn = firstFactor(app, user);
    await place.reached;
    const enabling = client.post("/v1/auth/mfa/enable", { code: totp(secret ?? "", app.clock.now()) });
    // The set-up waits for the sign-in. Without the lock it would be over before the sign-in inserts its session.
    await Promise.race([enabling, untilOneWaits(app)]);
    place.open();
    const [signedIn, enabled] = await Promise.all([signingIn, enabling]);
    expect([signedIn.status, enabled.status]).toEqual([200, 200]);
    const live = await app.storage.read.kysely
      .selectFrom("sessions")
      .select("aal")
      .where("ended_at", "is", null)
      .execute();
    expect(live).toEqual([{ aal: "aal2" }]);
  });

  t.test("a sign-in that is finishing leaves no session", async (app) => {
    const { user } = await enrolled(app);
    const act = await app.act();
    const { mfa_token } = (await firstFactor(app, user)).body;
    const flow = await app.identity.secondFactors.find(mfa_token, act.application, "proof");
    const place = halt();
    const request = { act, flow, rememberDevice: false, replaces: null };
    const finished = app.identity.signIns.finish(request, { amr: ["otp"], commit: place.here });
    await place.reached;
    const changed = change(app, user);
    await untilOneWaits(app);
    place.open();
    await Promise.all([finished, changed]);
    expect(await liveSessionIds(app.storage.read, user.id, null)).toEqual([]);
  });
});

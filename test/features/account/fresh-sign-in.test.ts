import { expect } from "bun:test";
import { proceduresOf } from "../../../src/rpc/invoke.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled } from "../../support/second-factors.ts";

/** Each takes the account, or everything that is known about it, away from its owner. */
const NEEDS_FRESH = [
  "auth.mfa.disable",
  "auth.mfa.recoveryCodes",
  "auth.password.change",
  "me.delete",
  "me.emails.add",
  "me.emails.makePrimary",
  "me.emails.remove",
  "me.export",
  "me.passkeys.begin",
  "me.passkeys.complete",
  "me.passkeys.remove",
  "me.password.set",
];

const procedures = (app: TestApp) => Object.entries(proceduresOf(app.app.router));

/** Calls every procedure of the list without an input: the gate answers before the input is read. */
async function refusals(app: TestApp, token: string) {
  const details: unknown[] = [];
  for (const [name, { _def }] of procedures(app)) {
    const { method = "GET", path = "/" } = NEEDS_FRESH.includes(name) ? (_def.meta?.rest ?? {}) : {};
    if (path === "/") continue;
    const answer = await app
      .client()
      .bearer(token)
      .send(method, path.replace("{id}", "018f3c4e-1b2c-7d3e-8f40-516273849506"));
    expect([name, answer.code]).toEqual([name, "insufficient_user_authentication"]);
    details.push(answer.body.error.details);
  }
  expect(details).toHaveLength(NEEDS_FRESH.length);
  return details;
}

scenarios("calls that need a fresh sign-in (ASVS 7.5.1)", (t) => {
  t.test("are these, and no others", async (app) => {
    const fresh = procedures(app).filter(([, { _def }]) => {
      const access = _def.meta?.access;
      return access?.kind === "session" && access.fresh === true;
    });
    expect(fresh.map(([name]) => name).sort()).toEqual(NEEDS_FRESH);
  });

  t.test("refuse a session of an earlier sign-in, and change nothing", async (app) => {
    const { tokens } = await app.signedIn();
    app.clock.advance(11 * 60_000);
    const before = await app.state();
    for (const details of await refusals(app, tokens.accessToken)) {
      expect(details).toEqual({ acr_values: null, max_age: 600 });
    }
    expect(await app.state()).toBe(before);
  });

  t.test("refuse a session of one factor if the user has two", async (app) => {
    const { user } = await enrolled(app);
    const weak = await app.signIn(user, await app.application({ mfa: "off" }));
    const before = await app.state();
    for (const details of await refusals(app, weak.accessToken)) {
      expect(details).toEqual({ acr_values: "aal2", max_age: null });
    }
    expect(await app.state()).toBe(before);
  });
});

import { expect } from "bun:test";
import { sqliteScenarios } from "../../support/scenarios.ts";

interface Begun {
  flow_id: string;
  public_key: { challenge: string };
}

sqliteScenarios("challenges of passkeys", (t) => {
  t.test("have 128 bits or more, and no two of a hundred are the same (ASVS 6.7.2, 11.5.1)", async (app) => {
    const { tokens } = await app.signedIn();
    const person = app.client().bearer(tokens.accessToken);
    const begun: Begun[] = [];
    for (let turn = 0; turn < 50; turn++) {
      begun.push((await app.client().post("/v1/auth/passkey/login/begin", {})).body as unknown as Begun);
      begun.push((await person.post("/v1/me/passkeys/begin", {})).body as unknown as Begun);
    }
    const challenges = begun.map(({ public_key }) => Buffer.from(public_key.challenge, "base64url"));
    expect(Math.min(...challenges.map(({ length }) => length))).toBeGreaterThanOrEqual(16);
    expect(new Set(challenges.map((challenge) => challenge.toString("hex"))).size).toBe(100);
    // They share no part either, as a counter or a clock in them would cause.
    expect(new Set(challenges.map((challenge) => challenge.subarray(0, 8).toString("hex"))).size).toBe(100);
    expect(new Set(challenges.map((challenge) => challenge.subarray(-8).toString("hex"))).size).toBe(100);
    expect(new Set(begun.map(({ flow_id }) => flow_id)).size).toBe(100);
  });
});

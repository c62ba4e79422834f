import { expect } from "bun:test";
import { AppError } from "../../../src/core/errors.ts";
import type { SecondFactor } from "../../../src/identity/factors/second-factors.ts";
import type { TestApp, TestUser } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { firstFactor, own, policy } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";

const RIGHT = { answer: "right" };

/** A factor of another feature, as the contract defines it: a challenge, then an answer that works once. */
class Key implements SecondFactor {
  readonly method = "passkey";
  readonly owners = new Set<string>();
  readonly challenged: string[] = [];
  readonly proven: unknown[] = [];
  #spent = false;

  async challenge(_application: unknown, userId: string) {
    this.challenged.push(userId);
    return { flow_id: "challenge", public_key: { challenge: "x" } };
  }

  async check({ userId, flowId, response, proven }: Parameters<SecondFactor["check"]>[0]) {
    this.proven.push(proven);
    const isRight = flowId === "challenge" && JSON.stringify(response) === JSON.stringify(RIGHT);
    if (!this.owners.has(userId) || !isRight) throw new AppError("invalid_code");
    const commit = async () => {
      if (this.#spent) throw new AppError("invalid_code");
      this.#spent = true;
    };
    return { amr: ["hwk"], commit };
  }

  async isEnrolled(_at: unknown, userId: string) {
    return this.owners.has(userId);
  }
}

/** A backup for a lost key. */
const backup: SecondFactor = {
  method: "recovery_code",
  isBackup: true,
  check: () => Promise.reject(new AppError("invalid_code")),
  isEnrolled: async () => true,
};

async function withKey(app: TestApp): Promise<{ key: Key; user: TestUser }> {
  const key = new Key();
  app.identity.secondFactors.offer([backup, key]);
  const user = await app.user();
  key.owners.add(user.id);
  return { key, user };
}

/** Returns the answer to a sign-in by `method`, through the host's own phases. */
async function signInBy(app: TestApp, user: TestUser, method: string, aal: "aal1" | "aal2") {
  const request = app.signInRequest(await app.act());
  const proof = { method, amr: ["hwk"], aal, commit: async () => user.id };
  const outcome = await app.identity.signIns.complete(request, proof);
  if (outcome.status === "mfa_required") app.secrets.add(outcome.token);
  else app.secrets.add(outcome.issued.accessToken).add(outcome.issued.refreshToken);
  return outcome;
}

scenarios("second factors of several features", (t) => {
  t.test("a challenge and its answer finish a sign-in, once", async (app) => {
    const { key, user } = await withKey(app);
    const first = await firstFactor(app, user);
    expect(first.body.methods).toEqual(["passkey", "recovery_code"]);
    const { mfa_token } = first.body;
    const challenge = await own(app).post("/v1/auth/mfa/challenge", { mfa_token });
    expect(challenge.body).toMatchObject({
      methods: ["passkey", "recovery_code"],
      passkey: { flow_id: "challenge", public_key: { challenge: "x" } },
    });
    expect(key.challenged).toEqual([user.id]);
    const body = { mfa_token, method: "passkey", flow_id: "challenge", response: RIGHT };
    const wrong = { ...body, response: { answer: "wrong" } };
    expect((await own(app).post("/v1/auth/mfa/verify", wrong)).code).toBe("invalid_code");
    const done = await own(app).post("/v1/auth/mfa/verify", body);
    expect(claimsOf(done.body.access_token)).toMatchObject({ aal: "aal2", amr: ["pwd", "hwk", "mfa"] });
    const step = { method: "passkey", flow_id: "challenge", response: RIGHT };
    await app.client().bearer(done.body.access_token).post("/v1/auth/mfa/verify", step);
    // The factor learns what was proven before: a key that did not verify its user counts only with a password.
    expect(key.proven).toEqual([["pwd"], ["pwd"], ["pwd", "hwk", "mfa"]]);
    const again = (await firstFactor(app, user)).body.mfa_token;
    expect((await own(app).post("/v1/auth/mfa/verify", { ...body, mfa_token: again })).code).toBe("invalid_code");
  });

  t.test("a backup alone is not a second factor, and no sign-in asks for it", async (app) => {
    const { key, user } = await withKey(app);
    key.owners.clear();
    expect((await firstFactor(app, user)).body.status).toBe("success");
    await policy(app, { mfa: "required" });
    expect((await firstFactor(app, user)).body).toMatchObject({ methods: [], setup_required: true });
  });

  t.test(
    "a passkey that verified its user counts as both factors, even where two are required (ASVS 6.5.7)",
    async (app) => {
      const { user } = await withKey(app);
      await policy(app, { mfa: "required" });
      const outcome = await signInBy(app, user, "passkey", "aal2");
      expect(outcome.status).toBe("success");
    },
  );

  t.test(
    "a passkey that did not verify its user is not asked for again, because the same key proves nothing more",
    async (app) => {
      const { key, user } = await withKey(app);
      const alone = await signInBy(app, user, "passkey", "aal1");
      expect(alone.status === "success" && alone.issued.session.aal).toBe("aal1");
      await policy(app, { mfa: "required" });
      expect(await signInBy(app, user, "passkey", "aal1")).toMatchObject({ methods: [], isSetup: true });
      const other: SecondFactor = {
        method: "totp",
        check: () => Promise.reject(new AppError("invalid_code")),
        isEnrolled: async () => true,
      };
      app.identity.secondFactors.offer([key, other, backup]);
      const outcome = await signInBy(app, user, "passkey", "aal1");
      if (outcome.status !== "mfa_required") throw new Error("nothing was asked for");
      expect(outcome.methods).toEqual(["totp", "recovery_code"]);
      const body = { mfa_token: outcome.token, method: "passkey", flow_id: "challenge", response: RIGHT };
      expect((await own(app).post("/v1/auth/mfa/verify", body)).code).toBe("invalid_code");
      const challenge = await own(app).post("/v1/auth/mfa/challenge", { mfa_token: outcome.token });
      expect(challenge.body).toMatchObject({ methods: ["totp", "recovery_code"], passkey: null });
    },
  );

  t.test("a set-up with a password alone stops when another feature has added a factor", async (app) => {
    const { key, user } = await withKey(app);
    key.owners.clear();
    await policy(app, { mfa: "required" });
    const { mfa_token } = (await firstFactor(app, user)).body;
    key.owners.add(user.id);
    expect((await own(app).post("/v1/auth/mfa/setup", { mfa_token })).code).toBe("invalid_code");
  });

  t.test("an unknown method is refused by name, and challenges have a limit", async (app) => {
    const { user } = await withKey(app);
    const { mfa_token } = (await firstFactor(app, user)).body;
    const unknown = await own(app).post("/v1/auth/mfa/verify", { mfa_token, method: "totp", code: "123456" });
    expect(unknown.code).toBe("invalid_input");
    const statuses: number[] = [];
    for (let i = 0; i < 31; i++) {
      statuses.push((await own(app).post("/v1/auth/mfa/challenge", { mfa_token })).status);
    }
    expect(statuses).toEqual([...Array(30).fill(200), 429]);
  });
});

import { expect } from "bun:test";
import { MINUTE } from "../../../src/core/clock.ts";
import type { StartedProof } from "../../../src/identity/email-proofs/proofs.ts";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";

const COUNT = 200;

function start(app: TestApp): Promise<StartedProof> {
  const { tenantId, applicationId } = app;
  const proof = { kind: "sign_up", userId: null, state: {}, lifetime: 10 * MINUTE } as const;
  return app.storage.write((tx) => app.identity.emailProofs.start(tx, { ...proof, tenantId, applicationId }));
}

scenarios("the strength of mailed proofs", (t) => {
  t.test("codes have eight equally likely digits, and links never repeat (ASVS 6.5.3, 6.5.4)", async (app) => {
    const started: StartedProof[] = [];
    for (let turn = 0; turn < COUNT; turn++) started.push(await start(app));
    for (const { code } of started) expect(code).toMatch(/^\d{4} \d{4}$/);
    const digits = started.map(({ code }) => code.replace(" ", ""));
    // In two hundred codes, each of the eight places shows at least eight of the ten digits. Chance breaks this less than
    // once in 10^27 runs.
    for (let place = 0; place < 8; place++) {
      expect(new Set(digits.map((code) => code[place])).size).toBeGreaterThanOrEqual(8);
    }
    expect(new Set(started.map(({ token }) => token)).size).toBe(COUNT);
    // base64url of 256 bits, besides the flow's id.
    for (const { token } of started) expect(token.length).toBeGreaterThan(43);
  });

  t.test("both expire after ten minutes, and the database holds neither (ASVS 6.4.1, 6.5.5)", async (app) => {
    const { flowId, code, token, expiresIn } = await start(app);
    expect(expiresIn).toBe(600);
    for (const secret of [token, code]) app.secrets.add(secret);
    const proofs = [{ token }, { flowId, code }];
    app.clock.advance(10 * MINUTE - 1);
    for (const proof of proofs) expect((await app.identity.emailProofs.check(["sign_up"], proof)).flow.id).toBe(flowId);
    app.clock.advance(1);
    for (const proof of proofs) {
      await expect(app.identity.emailProofs.check(["sign_up"], proof)).rejects.toMatchObject({ code: "invalid_code" });
    }
  });
});

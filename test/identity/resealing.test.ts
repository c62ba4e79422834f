import { expect } from "bun:test";
import { features } from "../../src/app.ts";
import { newId } from "../../src/core/ids.ts";
import { OwnHosts } from "../../src/core/own-hosts.ts";
import { generateMasterKey, type MasterKeys, parseMasterKeys, SealError } from "../../src/crypto/master-key.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import { DataKeys, MasterKeyMismatch } from "../../src/identity/keys/data-keys.ts";
import { reseal } from "../../src/identity/resealing.ts";
import { requireOpenable } from "../../src/identity/restoration.ts";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";
import { template } from "../support/template.ts";

/** Returns the keys of the test's instance with a second version, and the second version alone. */
async function twoVersions(): Promise<{ old: MasterKeys; both: MasterKeys; next: MasterKeys }> {
  const { masterKeys: old, masterKeyText } = await template();
  const second = generateMasterKey(2);
  return { old, both: parseMasterKeys(`${masterKeyText}\n${second}`), next: parseMasterKeys(second) };
}

/** Makes keys whose secret is sealed; half of them have a previous secret. */
async function makeKeys(app: TestApp, count: number): Promise<void> {
  const act = await app.act();
  const unbound = { scopes: [], expiresAt: null, rateLimit: null, networks: [] };
  await app.storage.write(async (tx) => {
    for (let made = 0; made < count; made++) {
      const id = newId(app.clock.now());
      const { row } = await app.identity.apiKeys.create(tx, act, id, { kind: "signing", name: "n", ...unbound });
      if (made % 2 === 0) continue;
      await tx.kysely
        .updateTable("api_keys")
        .set({ previous_sealed: row.sealed_secret })
        .where("id", "=", id)
        .execute();
    }
  });
}

scenarios("sealing again under a new master key", (t) => {
  t.test("goes on after it was cut off, and leaves nothing that needs the old key", async (app) => {
    const { old, both, next } = await twoVersions();
    const { tokens } = await app.signedIn();
    await makeKeys(app, 130);
    const now = app.clock.now();
    const cut = () => {
      throw new Error("cut off");
    };
    await expect(reseal(app.storage, both, now, cut)).rejects.toThrow("cut off");
    // In between, only both versions open everything, and an instance without the old one does not start.
    await requireOpenable(app.storage, both);
    await expect(DataKeys.open(app.storage, next, app.clock)).rejects.toBeInstanceOf(MasterKeyMismatch);
    const seen: number[] = [];
    const rest = await reseal(app.storage, both, now, (done) => seen.push(done));
    expect(seen.length).toBeGreaterThan(1);
    expect(await reseal(app.storage, both, now)).toBe(0);
    expect(rest).toBeGreaterThan(95);
    expect((await app.audit()).filter((action) => action === "master_key.changed")).toHaveLength(1);

    await requireOpenable(app.storage, next);
    const keys = await app.storage.read.kysely
      .selectFrom("api_keys")
      .selectAll()
      .where("kind", "=", "signing")
      .execute();
    for (const { id, sealed_secret, previous_sealed } of keys) {
      for (const sealed of [sealed_secret, previous_sealed]) {
        if (sealed) next.open(sealed, { keyId: id, purpose: "api-key:signing" });
      }
    }
    const { publicUrl, identity } = app;
    const again = await createIdentity({
      storage: app.storage,
      clock: app.clock,
      masterKeys: next,
      hosts: new OwnHosts(publicUrl, new Map()),
      settings: { ...identity.settings, mail_from: { name: "", address: "a@example.com" }, smtp_connections: 1 },
      features: features.hooks,
    });
    expect((await again.accessTokens.verify(tokens.accessToken)).sid).toBe(tokens.session.sid);
    expect(await again.keyring.signer(app.tenantId, "EdDSA")).toBeDefined();
    // The old key alone is refused from now on.
    await expect(DataKeys.open(app.storage, old, app.clock)).rejects.toBeInstanceOf(MasterKeyMismatch);
  });

  t.test("changes nothing without the old key", async (app) => {
    const { next } = await twoVersions();
    const before = await app.state();
    await expect(reseal(app.storage, next, app.clock.now())).rejects.toBeInstanceOf(SealError);
    expect(await app.state()).toBe(before);
  });
});

import { expect, test } from "bun:test";
import { features, settings } from "../../src/app.ts";
import { loadSettings } from "../../src/core/config.ts";
import { OwnHosts } from "../../src/core/own-hosts.ts";
import { generateMasterKey, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { createIdentity } from "../../src/identity/identity.ts";
import { MasterKeyMismatch } from "../../src/identity/keys/data-keys.ts";
import { isSetUp } from "../../src/identity/setup.ts";
import { openEmpty } from "../support/database.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { scenarios } from "../support/scenarios.ts";

scenarios("a new instance", (t) => {
  t.test("has the default tenant, two applications, one key, and no account (ASVS 6.3.2)", async (app) => {
    const { kysely } = app.storage.read;
    expect(await kysely.selectFrom("users").select("id").execute()).toEqual([]);
    expect(await kysely.selectFrom("tenants").select(["id", "slug", "default_application_id"]).execute()).toEqual([
      { id: app.tenantId, slug: "default", default_application_id: app.defaultApplicationId },
    ]);
    const applications = await kysely.selectFrom("applications").selectAll().orderBy("id").execute();
    expect(applications.map(({ id, algorithm, type, origins }) => [id, algorithm, type, origins])).toEqual([
      [app.defaultApplicationId, "RS256", "web", "[]"],
      [app.applicationId, "EdDSA", "web", '["https://app.example.com"]'],
    ]);
    expect(await kysely.selectFrom("api_keys").select(["kind", "scopes"]).execute()).toEqual([
      { kind: "secret", scopes: '["admin"]' },
    ]);
    expect(await isSetUp(app.identity)).toBeTrue();
  });

  t.test("opens with its own master key only, and never creates a new key silently (security.md 4)", async (app) => {
    const options = {
      storage: app.storage,
      clock: app.clock,
      hosts: new OwnHosts(app.publicUrl, new Map()),
      settings: loadSettings(settings, { env: {}, flags: {} }),
      features: features.hooks,
    };
    const before = await app.state();
    const foreign = createIdentity({ ...options, masterKeys: parseMasterKeys(generateMasterKey()) });
    await expect(foreign).rejects.toBeInstanceOf(MasterKeyMismatch);
    const renumbered = createIdentity({ ...options, masterKeys: parseMasterKeys(generateMasterKey(2)) });
    await expect(renumbered).rejects.toBeInstanceOf(MasterKeyMismatch);
    expect(await app.state()).toBe(before);
  });
});

test("two nodes that start at once on one empty database agree on every key", async () => {
  const clock = new FakeClock();
  const storage = await openEmpty(clock);
  const options = {
    storage,
    clock,
    hosts: new OwnHosts("http://localhost", new Map()),
    masterKeys: parseMasterKeys(generateMasterKey()),
    settings: loadSettings(settings, { env: {}, flags: {} }),
    features: features.hooks,
  };
  const nodes = await Promise.all([createIdentity(options), createIdentity(options)]);
  const [one, two] = nodes.map(({ dataKeys }) => Buffer.from(dataKeys.current("refresh").key).toString("hex"));
  expect(one).toBe(two ?? "");
  expect(one).not.toBe(Buffer.from(nodes[0]?.dataKeys.current("pepper").key ?? "").toString("hex"));
  await storage.close();
});

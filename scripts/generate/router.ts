import { createApp, settings } from "../../src/app.ts";
import { systemClock } from "../../src/core/clock.ts";
import { loadSettings } from "../../src/core/config.ts";
import { generateMasterKey, parseMasterKeys } from "../../src/crypto/master-key.ts";
import { openStorage } from "../../src/storage/open.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} };

/** Returns the real application's router, from an instance in memory that is closed at once. */
export async function readRouter() {
  const storage = await openStorage({ kind: "memory" });
  const app = await createApp({
    settings: loadSettings(settings, { env: {}, flags: {} }),
    publicUrl: "http://localhost:8080",
    storage,
    clock: systemClock,
    log: quiet,
    masterKeys: parseMasterKeys(generateMasterKey()),
    version: "0",
  });
  await storage.close();
  return app.router;
}

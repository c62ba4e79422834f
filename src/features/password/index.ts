import { LazyArgon2 } from "../../crypto/argon2.ts";
import { HashQueue } from "../../crypto/hash-queue.ts";
import { PasswordHasher } from "../../crypto/password-hash.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { Breaches } from "./breaches.ts";
import { passwordData } from "./data.ts";
import { PasswordHashing } from "./hashing.ts";
import { Recovery } from "./recovery.ts";
import { newPasswordRouter } from "./recovery-router.ts";
import { Registrations } from "./registration.ts";
import { passwordRouter } from "./router.ts";
import { Passwords } from "./service.ts";
import { passwordSettings } from "./settings.ts";
import { deletePassword, holdsPassword } from "./store.ts";

/**
 * Sign-up, sign-in, change and recovery by address and password. Hashing is costly on purpose and has its own bounded queue: a
 * flood of sign-ins is answered 503, and everything else goes on.
 */
export const password = defineFeature({
  settings: passwordSettings,
  export: passwordData,
  security: passwordData,
  erase: async (tx, userId) => {
    await deletePassword(tx, userId);
  },
  // Deletes the password whenever it was set: a stranger came in by it, or has changed it.
  revokeCredentials: async (tx, userId) => ((await deletePassword(tx, userId)) ? ["password"] : []),
  signInMethods: { password: holdsPassword },
  router: ({ identity, procedures, settings, metrics, log }) => {
    const queue = new HashQueue({
      slots: settings.password_hash_slots,
      maxWaiting: settings.password_hash_queue,
      maxWaitingPerKey: Math.max(1, Math.ceil(settings.password_hash_queue / 2)),
      clock: identity.clock,
    });
    metrics.gauge(
      "sallyport_password_hash_waiting",
      "Number of passwords that wait to be hashed.",
      () => queue.stats.waiting,
    );
    metrics.counter("sallyport_password_hashes_total", "Number of passwords that were hashed.", () => queue.stats.done);
    metrics.counter(
      "sallyport_password_shed_total",
      "Number of sign-ins that the full queue answered 503.",
      () => queue.stats.shed,
    );
    const hasher = new PasswordHasher(queue, new LazyArgon2(log));
    const breaches = new Breaches(settings.password_breach_url ?? null, log);
    const hashing = new PasswordHashing(identity.dataKeys, hasher, breaches, settings.password_min_length);
    const passwords = new Passwords(identity, hashing);
    const { auth } = passwordRouter(identity, procedures, passwords, new Registrations(identity, hashing));
    const more = newPasswordRouter(identity, procedures, passwords, new Recovery(identity, hashing));
    return { auth: { ...auth, ...more.auth }, me: more.me };
  },
});

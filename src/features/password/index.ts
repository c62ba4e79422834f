import { HashQueue } from "../../crypto/hash-queue.ts";
import { PasswordHasher } from "../../crypto/password-hash.ts";
import { defineFeature } from "../../rpc/feature.ts";
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
 * Sign-up, sign-in, change and recovery by address and password. Hashing is costly on purpose, so it stands behind a bounded queue of
 * its own: a flood of sign-ins is answered 503, and everything else goes on.
 */
export const password = defineFeature({
  settings: passwordSettings,
  export: passwordData,
  security: passwordData,
  erase: deletePassword,
  // Whenever it was set: it is what a stranger came in by, or has changed.
  revokeCredentials: deletePassword,
  signInMethods: { password: holdsPassword },
  router: ({ identity, procedures, settings, metrics }) => {
    const queue = new HashQueue({
      slots: settings.password_hash_slots,
      maxWaiting: settings.password_hash_queue,
      maxWaitingPerKey: Math.max(1, Math.ceil(settings.password_hash_queue / 2)),
      clock: identity.clock,
    });
    metrics.gauge("sallyport_password_hash_waiting", "Passwords that wait to be hashed.", () => queue.stats.waiting);
    metrics.counter("sallyport_password_hashes_total", "Passwords hashed.", () => queue.stats.done);
    metrics.counter(
      "sallyport_password_shed_total",
      "Sign-ins answered 503 by the full queue.",
      () => queue.stats.shed,
    );
    const hashing = new PasswordHashing(identity.dataKeys, new PasswordHasher(queue), settings.password_min_length);
    const passwords = new Passwords(identity, hashing);
    const { auth } = passwordRouter(identity, procedures, passwords, new Registrations(identity, hashing));
    const more = newPasswordRouter(procedures, passwords, new Recovery(identity, hashing));
    return { auth: { ...auth, ...more.auth }, me: more.me };
  },
});

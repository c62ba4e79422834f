import type { Migration } from "../columns.ts";

/** Adds the indexes by which retention finds due rows. Without them each hourly run reads the whole table. */
export const retentionIndexes: Migration = {
  id: 14,
  name: "retention-indexes",
  statements: () => [
    "CREATE INDEX api_keys_by_revocation ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL",
    "CREATE INDEX api_keys_by_expiry ON api_keys (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE INDEX api_keys_by_previous ON api_keys (previous_expires_at) WHERE previous_expires_at IS NOT NULL",
    "CREATE INDEX signing_keys_by_expiry ON signing_keys (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE INDEX totp_factors_by_pending ON totp_factors (pending_at) WHERE pending_at IS NOT NULL",
  ],
};

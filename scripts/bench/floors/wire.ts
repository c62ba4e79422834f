import type { ApplicationRow, Bundle, UserRow } from "./database.ts";

const time = (ms: number) => new Date(ms).toISOString();

export function userOf(row: Bundle) {
  return {
    id: row.user_id,
    external_id: row.external_id,
    email: row.email,
    email_verified: row.email_verified_at !== null,
    display_name: row.display_name,
    metadata: JSON.parse(row.public_metadata),
    created_at: time(row.user_created_at),
    updated_at: time(row.user_updated_at),
  };
}

export function whoAmI(row: Bundle, application: ApplicationRow) {
  return {
    user: userOf(row),
    session: {
      id: row.sid,
      application_id: row.application_id,
      aal: row.aal,
      auth_method: row.auth_method,
      amr: JSON.parse(row.amr),
      auth_time: time(row.authenticated_at),
      user_agent: row.user_agent,
      address: row.address,
      created_at: time(row.session_created_at),
      last_seen_at: time(row.last_seen_at),
      expires_at: time(row.expires_at),
      current: true,
    },
    organization: null,
    application: { id: application.id, name: application.name, type: application.type },
  };
}

export function managed(row: UserRow) {
  return {
    id: row.id,
    external_id: row.external_id,
    email: row.email,
    email_verified: row.email_verified_at !== null,
    display_name: row.display_name,
    metadata: JSON.parse(row.public_metadata),
    created_at: time(row.created_at),
    updated_at: time(row.updated_at),
    private_metadata: JSON.parse(row.private_metadata),
    disabled: row.disabled_at !== null,
  };
}

import { timeOrNull, toWireTime } from "../../core/clock.ts";
import type { UserPart } from "../../core/feature.ts";
import { parseJsonObject } from "../../core/json.ts";
import { userRef } from "../../identity/audit/act.ts";
import { auditEntriesOf } from "../../identity/audit/public.ts";
import { devicesOf } from "../../identity/devices/public.ts";
import { trustedDevicesOf } from "../../identity/factors/public.ts";
import type { Identity } from "../../identity/identity.ts";
import { describeDevice } from "../../identity/notices/device.ts";
import { refreshesOf, sessionsOf } from "../../identity/sessions/public.ts";
import { userOfBundle } from "../../identity/sessions/wire.ts";
import { emailsOf } from "../../identity/users/emails/public.ts";
import { mailsOf } from "../../mail/store.ts";
import type { AdmittedSession } from "../../rpc/gate.ts";
import type { AuditEntriesTable, SessionsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { toWireDevice, type WireExport } from "./wire.ts";

/** The maximum number of entries in each list. Each list holds the newest. */
const MOST = 1_000;

/**
 * Everything that the appliance keeps about a person, as one document, without secrets, hashes and keys. Private metadata is
 * left out: the customer keeps it for its own use, and the customer's backend reads it with a secret key.
 */
export class ExportService {
  constructor(
    private readonly identity: Pick<Identity, "clock" | "storage">,
    private readonly dataOfFeatures: UserPart<Executor>,
  ) {}

  /** Writes to the audit log first, so that a copy taken with a stolen session leaves a trace. */
  async export({ act, session }: AdmittedSession): Promise<WireExport> {
    const { storage, clock } = this.identity;
    const userId = session.user_id;
    const now = clock.now();
    await storage.write((tx) => act.audit(tx, now, "user.exported", userRef(userId)));
    const at = storage.read;
    const limit = MOST + 1;
    const emails = await emailsOf(at, userId, limit);
    const query = { userId, applicationId: act.application.id, limit, now };
    const parts = Object.entries(await this.dataOfFeatures.read(at, query));
    const trustedDevices = await trustedDevicesOf(at, userId, limit);
    const knownDevices = await devicesOf(at, userId, limit);
    const mails = await mailsOf(at, userId, limit);
    const sessions = await sessionsOf(at, userId, limit);
    const entries = await auditEntriesOf(at, userId, limit);
    const truncated: string[] = [];
    const cut = <Row>(name: string, rows: readonly Row[]): readonly Row[] => {
      if (rows.length > MOST) truncated.push(name);
      return rows.slice(0, MOST);
    };
    return {
      exported_at: toWireTime(now),
      user: userOfBundle(session),
      emails: cut("emails", emails).map((row) => ({
        id: row.id,
        email: row.address,
        is_primary: row.is_primary === 1,
        verified_at: timeOrNull(row.verified_at),
        created_at: toWireTime(row.created_at),
      })),
      ...Object.fromEntries(parts.map(([name, value]) => [name, Array.isArray(value) ? cut(name, value) : value])),
      trusted_devices: cut("trusted_devices", trustedDevices).map((row) => ({
        ...toWireDevice(row),
        application_id: row.application_id,
        user_agent: row.user_agent,
      })),
      known_devices: cut("known_devices", knownDevices).map((row) => ({
        first_seen_at: toWireTime(row.first_seen_at),
        last_seen_at: toWireTime(row.last_seen_at),
      })),
      sessions: cut("sessions", sessions).map(toExportedSession),
      mails: cut("mails", mails).map((row) => ({
        template: row.template,
        created_at: toWireTime(row.created_at),
        sent_at: timeOrNull(row.sent_at),
      })),
      audit_entries: cut("audit_entries", entries).map((row) => toExportedEntry(row, userId)),
      truncated,
    };
  }
}

function toExportedSession(row: SessionsTable): WireExport["sessions"][number] {
  return {
    id: row.id,
    application_id: row.application_id,
    aal: row.aal,
    auth_method: row.auth_method,
    amr: JSON.parse(row.amr) as string[],
    auth_time: toWireTime(row.authenticated_at),
    device: describeDevice(row.user_agent),
    user_agent: row.user_agent,
    address: row.address,
    created_at: toWireTime(row.created_at),
    last_seen_at: toWireTime(row.last_seen_at),
    refreshes: refreshesOf(row),
    expires_at: toWireTime(row.expires_at),
    ended_at: timeOrNull(row.ended_at),
    end_reason: row.end_reason,
  };
}

/**
 * Leaves out the origin and the details of an entry unless the user was the actor: they belong to the operator, backend or
 * stranger.
 */
function toExportedEntry(row: AuditEntriesTable, userId: string): WireExport["audit_entries"][number] {
  const isOwn = row.actor_kind === "user" && row.actor_id === userId;
  return {
    occurred_at: toWireTime(row.occurred_at),
    action: row.action,
    actor: row.actor_kind,
    target: row.target_kind === null || row.target_id === null ? null : { kind: row.target_kind, id: row.target_id },
    application_id: row.application_id,
    address: isOwn ? row.address : null,
    user_agent: isOwn ? row.user_agent : null,
    details: isOwn ? parseJsonObject(row.details) : null,
  };
}

import type { Database } from "bun:sqlite";
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { parseSecret } from "../../../src/crypto/secrets.ts";
import type { MachineSeed } from "../machines.ts";
import type { ApplicationRow, UserRow } from "./database.ts";
import type { minting } from "./tokens.ts";

/** The floors of the client-credentials grant and of a request with a customer-signed token. */
export function machineFloor(
  reader: Database,
  seed: { machines: MachineSeed; tenantId: string },
  host: {
    mint: ReturnType<typeof minting>;
    applicationOf: (id: string) => ApplicationRow | null;
    /** Writes one durable audit entry in a group commit. */
    audit: (clientId: string) => Promise<unknown>;
    answer: (value: unknown) => Response;
    refused: () => Response;
  },
) {
  const secretRow = reader.prepare<
    { application_id: string; secret_digest: Uint8Array; revoked_at: number | null },
    [string]
  >("SELECT * FROM client_secrets WHERE id = +?");
  const grant = reader.prepare<{ scopes: string }, [string]>("SELECT * FROM client_grants WHERE application_id = +?");
  const keyRow = reader.prepare<{ application_id: string; revoked_at: number | null }, [string]>(
    "SELECT * FROM api_keys WHERE id = +?",
  );
  const userRow = reader.prepare<UserRow, [string, string]>(
    `SELECT u.*, e.address AS email, e.verified_at AS email_verified_at FROM users u
      LEFT JOIN user_emails e ON e.user_id = u.id AND e.is_primary = 1 WHERE u.tenant_id = +? AND u.external_id = +?`,
  );
  const time = (ms: number) => new Date(ms).toISOString();

  return {
    async token(request: Request): Promise<Response> {
      const form = new URLSearchParams(await request.text());
      const [, basic = ""] = (request.headers.get("authorization") ?? "").split(" ");
      const secret = Buffer.from(basic, "base64").toString().split(":")[1] ?? "";
      const parsed = parseSecret("cs", secret);
      const row = parsed && secretRow.get(parsed.keyId);
      if (!row || row.revoked_at !== null || form.get("grant_type") !== "client_credentials") return host.refused();
      if (!timingSafeEqual(hash("sha256", secret, "buffer"), row.secret_digest)) return host.refused();
      const scope = (JSON.parse(grant.get(row.application_id)?.scopes ?? "[]") as string[]).join(" ");
      await host.audit(row.application_id);
      const access_token = host.mint.client(row.application_id, scope);
      return host.answer({ access_token, token_type: "Bearer", expires_in: 900, scope });
    },
    signed(authorization: string): Response {
      const token = authorization.slice(7);
      const end = token.lastIndexOf(".");
      const claims = JSON.parse(Buffer.from(token.slice(token.indexOf(".") + 1, end), "base64url").toString());
      const key = keyRow.get(claims.iss);
      const mac = createHmac("sha256", seed.machines.signingSecret).update(token.slice(0, end)).digest();
      const given = Buffer.from(token.slice(end + 1), "base64url");
      if (!key || key.revoked_at !== null || given.length !== 32 || !timingSafeEqual(mac, given)) return host.refused();
      const user = userRow.get(seed.tenantId, claims.grants.identity);
      const application = host.applicationOf(key.application_id);
      if (!user || !application || claims.exp * 1_000 <= Date.now()) return host.refused();
      return host.answer({
        user: {
          id: user.id,
          external_id: user.external_id,
          email: user.email,
          email_verified: user.email_verified_at !== null,
          display_name: user.display_name,
          metadata: JSON.parse(user.public_metadata),
          created_at: time(user.created_at),
          updated_at: time(user.updated_at),
        },
        session: null,
        organization: null,
        application: { id: application.id, name: application.name, type: application.type },
      });
    },
  };
}

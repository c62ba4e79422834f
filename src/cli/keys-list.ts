import { toWireTime } from "../core/clock.ts";
import type { TenantKey } from "../identity/keys/keyring.ts";
import { listTenants } from "../identity/tenants/public.ts";
import { columns } from "./columns.ts";
import { type Command, configFlag, dataFlag, textFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

type KeyState = "coming" | "current" | "retiring" | "withdrawn";

export const keysList: Command = {
  name: "keys list",
  summary: "List the published signing keys and their states.",
  description:
    "coming    published, and signs later, so that verifiers learn of it first\n" +
    "current   signs now\n" +
    "retiring  no longer signs; published until its last token has expired\n" +
    "withdrawn no longer published; its tokens are refused",
  flags: {
    tenant: { type: "string", value: "TENANT", doc: "Show only the keys of this tenant (slug or id)." },
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  run: (context) =>
    withIdentity(context, async ({ storage, clock, keyring }) => {
      const only = textFlag(context, "tenant");
      const tenants = only ? [await tenantNamed(storage.read, only)] : await listTenants(storage.read);
      const rows: ReturnType<typeof keyJson>[] = [];
      for (const { id, slug } of tenants) {
        for (const key of await keyring.keys(id)) rows.push(keyJson(key, slug, clock.now()));
      }
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      const cells = rows.map((row) => [
        row.kid,
        row.tenant_slug,
        row.algorithm,
        row.state,
        row.signs_from,
        row.signs_until ?? "",
        row.published_until ?? "",
      ]);
      const headings = ["KID", "TENANT", "ALGORITHM", "STATE", "SIGNS FROM", "UNTIL", "PUBLISHED UNTIL"];
      for (const line of columns(headings, cells)) context.print(line);
      return 0;
    }),
};

export function keyJson(key: TenantKey, tenantSlug: string, now: number) {
  return {
    kid: key.id,
    tenant_id: key.tenantId,
    tenant_slug: tenantSlug,
    algorithm: key.algorithm,
    state: stateOf(key, now),
    signs_from: toWireTime(key.activeAt),
    signs_until: key.retiredAt === null ? null : toWireTime(key.retiredAt),
    published_until: key.expiresAt === null || key.isWithdrawn ? null : toWireTime(key.expiresAt),
  };
}

/** Returns the state of a key. A key whose successor signs first never signs, so it is retiring from the beginning. */
function stateOf(key: TenantKey, now: number): KeyState {
  if (key.isWithdrawn) return "withdrawn";
  if (key.retiredAt !== null && (key.retiredAt <= now || key.retiredAt <= key.activeAt)) return "retiring";
  return key.activeAt > now ? "coming" : "current";
}

import type { KeyAlgorithm } from "../storage/schema.ts";
import { type Command, CommandError, configFlag, dataFlag, textFlag, UsageError } from "./command.ts";
import { keyJson } from "./keys-list.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

const ALGORITHMS: readonly string[] = ["EdDSA", "RS256", "ES256"] satisfies KeyAlgorithm[];

export const keysRotate: Command = {
  name: "keys rotate",
  summary: "Publish a successor for the signing keys of a tenant. It signs ten minutes later.",
  description:
    "Verifiers that cache the JWKS for its lifetime learn of the new key before its first token. The old key stays\n" +
    "published until its last token has expired. A running server follows within seconds. The server also rotates keys by\n" +
    "itself after 90 days.",
  flags: {
    tenant: { type: "string", value: "TENANT", doc: "Slug or id (default: the default tenant)." },
    algorithm: { type: "string", value: "ALG", doc: "EdDSA, RS256 or ES256 (default: every algorithm in use)." },
    now: {
      type: "boolean",
      doc: "Sign with it at once, in an emergency. Verifiers that do not fetch an unknown kid refuse new tokens for a while.",
    },
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }, the new keys.' },
  },
  examples: ["sallyport keys rotate", "sallyport keys rotate --tenant acme --algorithm EdDSA --now"],
  run: async (context) => {
    const only = textFlag(context, "algorithm");
    if (only !== undefined && !ALGORITHMS.includes(only)) {
      throw new UsageError(`--algorithm takes ${ALGORITHMS.join(", ")}, not ${only}.`);
    }
    return withIdentity(context, async ({ storage, clock, keyring }) => {
      const tenant = await tenantNamed(storage.read, textFlag(context, "tenant") ?? "default");
      const inUse = new Set((await keyring.keys(tenant.id)).map((key) => key.algorithm));
      const algorithms = [...inUse].filter((algorithm) => only === undefined || algorithm === only);
      if (algorithms.length === 0) {
        throw new CommandError(
          `The tenant ${tenant.slug} has no ${only ?? "signing"} key to rotate. An application creates its first key when it signs.`,
        );
      }
      const made: string[] = [];
      for (const algorithm of algorithms) {
        made.push(await keyring.rotate(tenant.id, algorithm, ...(context.flags.now ? [0] : [])));
      }
      const keys = (await keyring.keys(tenant.id)).filter((key) => made.includes(key.id));
      const rows = keys.map((key) => keyJson(key, tenant.slug, clock.now()));
      if (context.flags.json) context.print(JSON.stringify({ data: rows }));
      else for (const row of rows) context.print(`${row.algorithm}  ${row.kid}  signs from ${row.signs_from}`);
      return 0;
    });
  },
};

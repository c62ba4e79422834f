import { createHmac } from "node:crypto";
import { systemClock } from "../../src/core/clock.ts";
import { newId } from "../../src/core/ids.ts";
import { systemAct } from "../../src/identity/audit/act.ts";
import { createClientSecret, grantClient } from "../../src/identity/clients/administration.ts";
import type { Identity } from "../../src/identity/identity.ts";
import { insertUser } from "../../src/identity/users/store.ts";

/** The data for the rows about machines and customer-signed tokens, beside the sessions. */
export interface MachineSeed {
  clientId: string;
  clientSecret: string;
  signingKeyId: string;
  signingSecret: string;
  /** One token for each user of the customer, valid for an hour. */
  customerTokens: string[];
}

const SIGNED_USERS = 256;

export async function seedMachines(identity: Identity, tenantId: string, applicationId: string): Promise<MachineSeed> {
  const now = systemClock.now();
  const act = systemAct({ id: applicationId, tenant: { id: tenantId } });
  const keyId = newId(now);
  const made = await identity.storage.write(async (tx) => {
    const client = await identity.applications.create(tx, now, tenantId, { name: "Nightly", type: "m2m" });
    await grantClient(tx, now, client, "management", ["users:read"]);
    const { secret } = await createClientSecret(tx, now, client);
    const key = await identity.apiKeys.create(tx, act, keyId, {
      kind: "signing",
      name: "Backend",
      scopes: [],
      expiresAt: null,
      rateLimit: null,
      networks: [],
    });
    const user = { tenant_id: tenantId, public_metadata: '{"plan":"team","seats":12}' };
    for (let i = 0; i < SIGNED_USERS; i++)
      await insertUser(tx, now, { ...user, id: newId(now), external_id: identityOf(i) });
    return { clientId: client.id, clientSecret: secret, signingSecret: key.secret ?? "" };
  });
  await identity.keyring.signer(tenantId, "EdDSA");
  const customerTokens = Array.from({ length: SIGNED_USERS }, (_, index) =>
    sign(made.signingSecret, {
      iss: keyId,
      sub: tenantId,
      exp: Math.floor(now / 1_000) + 3_590,
      grants: { identity: identityOf(index) },
    }),
  );
  return { ...made, signingKeyId: keyId, customerTokens };
}

const identityOf = (index: number) => `user|${index}`;

function sign(secret: string, claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${encode({ alg: "HS256", typ: "JWT", cty: "sallyport-fpa;v=1" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

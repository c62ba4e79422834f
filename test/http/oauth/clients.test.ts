import { expect, test } from "bun:test";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { startApp } from "../../support/app.ts";
import { machine } from "../../support/machines.ts";

/** Runs two common libraries against the live appliance: metadata, grant, introspection, revocation. */
for (const slug of ["default", "acme"]) {
  test(`openid-client gets, uses and revokes a token of the tenant ${slug}`, async () => {
    const app = await startApp();
    const tenant = slug === "acme" ? await app.tenant("acme") : { id: app.tenantId, issuer: app.publicUrl };
    const client = await machine(app, {
      tenantId: tenant.id,
      grants: { management: ["users:read", "tokens:read"] },
    });
    const config = await openid.discovery(
      new URL(tenant.issuer),
      client.id,
      undefined,
      openid.ClientSecretBasic(client.secret),
      { algorithm: "oauth2", execute: [openid.allowInsecureRequests] },
    );
    const tokens = await openid.clientCredentialsGrant(config, { scope: "users:read" });
    app.secrets.add(tokens.access_token);
    expect([tokens.token_type, tokens.scope]).toEqual(["bearer", "users:read"]);
    expect((await openid.tokenIntrospection(config, tokens.access_token)).active).toBe(true);
    const prefix = slug === "acme" ? "/t/acme" : "";
    expect((await app.client().bearer(tokens.access_token).get(`${prefix}/v1/users`)).status).toBe(200);
    await openid.tokenRevocation(config, tokens.access_token);
    expect((await openid.tokenIntrospection(config, tokens.access_token)).active).toBe(false);
    const refused = openid.clientCredentialsGrant(config, { scope: "admin" });
    await expect(refused).rejects.toMatchObject({ error: "invalid_scope" });
    await app.close();
  });

  test(`oauth4webapi does the same with credentials in the body, for the tenant ${slug}`, async () => {
    const app = await startApp();
    const tenant = slug === "acme" ? await app.tenant("acme") : { id: app.tenantId, issuer: app.publicUrl };
    const made = await machine(app, { tenantId: tenant.id, grants: { management: ["tokens:read"] } });
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(tenant.issuer);
    const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
    const server = await oauth.processDiscoveryResponse(issuer, found);
    expect(server.grant_types_supported).toEqual(["client_credentials"]);
    const client = { client_id: made.id };
    const by = oauth.ClientSecretPost(made.secret);
    const answer = await oauth.clientCredentialsGrantRequest(server, client, by, {}, insecure);
    const tokens = await oauth.processClientCredentialsResponse(server, client, answer);
    app.secrets.add(tokens.access_token);
    const asked = await oauth.introspectionRequest(server, client, by, tokens.access_token, insecure);
    expect((await oauth.processIntrospectionResponse(server, client, asked)).sub).toBe(made.id);
    const ended = await oauth.revocationRequest(server, client, by, tokens.access_token, insecure);
    await oauth.processRevocationResponse(ended);
    const wrong = oauth.ClientSecretBasic("sally_cs_no");
    const refused = await oauth.clientCredentialsGrantRequest(server, client, wrong, {}, insecure);
    const problem = oauth.processClientCredentialsResponse(server, client, refused);
    await expect(problem).rejects.toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
    await app.close();
  });
}

import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import type { Application } from "../../identity/applications/application.ts";
import type { ApplicationsTable } from "../../storage/schema.ts";

/** An application as the customer's backend sees it. `Application` is the view for people. */
export const managedApplicationSchema = (signInMethods: readonly string[]) =>
  z
    .strictObject({
      id: z.uuid().describe("The publishable id, which is also the OAuth client_id."),
      name: z.string(),
      type: z.enum(["spa", "web", "native", "m2m"]),
      is_default: z.boolean().describe("Whether requests that name no application get this one."),
      issuer: z.string().describe("The `iss` of the application's tokens."),
      algorithm: z.enum(["EdDSA", "RS256", "ES256"]).describe("The signature algorithm of its tokens."),
      default_audience: z.string().describe("The `aud` of tokens, unless the request asks for another."),
      audiences: z.array(z.string()),
      origins: z
        .array(z.string())
        .describe("Origins of the pages that may call the application. A `*` stands for the first label of a host."),
      sign_up: z.enum(["immediate", "verified", "closed"]),
      sign_in_methods: z.array(z.enum(signInMethods)),
      mfa: z.enum(["off", "optional", "required"]).describe("Whether a second factor is asked for."),
      mfa_grace: z.int().describe("Seconds that a user has to set up a second factor once it is required."),
      mfa_remember: z
        .int()
        .describe("Seconds that a device may be remembered; 0: every sign-in asks for a second factor."),
      passkey_rp_id: z.string().nullable().describe("null: the host of the public URL."),
      home_url: z.string().nullable().describe("The next page after a page that a mail links to."),
      access_token_ttl: z.int().describe("Seconds."),
      refresh_idle_ttl: z.int().describe("Seconds that a session may lie idle."),
      refresh_absolute_ttl: z.int().describe("Seconds that a session may live at most."),
      refresh_cookie_path: z.string(),
      created_at: z.iso.datetime(),
      updated_at: z.iso.datetime(),
    })
    .meta({ id: "ManagedApplication" });
export type WireManagedApplication = z.output<ReturnType<typeof managedApplicationSchema>>;

export function toManagedApplication(row: ApplicationsTable, application: Application): WireManagedApplication {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    is_default: application.isDefault,
    issuer: application.tenant.issuer,
    algorithm: row.algorithm,
    default_audience: application.defaultAudience,
    audiences: JSON.parse(row.audiences),
    origins: JSON.parse(row.origins),
    sign_up: row.sign_up,
    sign_in_methods: JSON.parse(row.sign_in_methods),
    mfa: row.mfa,
    mfa_grace: row.mfa_grace,
    mfa_remember: row.mfa_remember,
    passkey_rp_id: row.passkey_rp_id,
    home_url: row.home_url,
    access_token_ttl: row.access_token_ttl,
    refresh_idle_ttl: row.refresh_idle_ttl,
    refresh_absolute_ttl: row.refresh_absolute_ttl,
    refresh_cookie_path: row.refresh_cookie_path,
    created_at: toWireTime(row.created_at),
    updated_at: toWireTime(row.updated_at),
  };
}

export const exampleApplication: WireManagedApplication = {
  id: "018f3c40-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
  name: "My application",
  type: "web",
  is_default: false,
  issuer: "https://login.example.com",
  algorithm: "EdDSA",
  default_audience: "https://login.example.com/api/018f3c40-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
  audiences: [],
  origins: ["https://app.example.com"],
  sign_up: "immediate",
  sign_in_methods: ["password", "passkey"],
  mfa: "optional",
  mfa_grace: 0,
  mfa_remember: 0,
  passkey_rp_id: null,
  home_url: "https://app.example.com",
  access_token_ttl: 900,
  refresh_idle_ttl: 2_592_000,
  refresh_absolute_ttl: 15_552_000,
  refresh_cookie_path: "/v1/auth",
  created_at: "2026-01-01T12:00:00.000Z",
  updated_at: "2026-01-01T12:00:00.000Z",
};

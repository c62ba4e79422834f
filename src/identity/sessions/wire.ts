import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import type { Application } from "../applications/application.ts";
import { describeDevice } from "../notices/device.ts";
import { exampleUser, toWireUser, type UserColumns, userSchema, type WireUser } from "../users/wire.ts";
import type { SessionBundle } from "./store.ts";

export const sessionSchema = z
  .strictObject({
    id: z.uuid().describe("The `sid` of its tokens. Refreshes do not change it."),
    application_id: z.uuid(),
    aal: z.enum(["aal1", "aal2"]),
    auth_method: z.string(),
    amr: z.array(z.string()).describe("RFC 8176 values."),
    auth_time: z.iso.datetime().describe("When the user authenticated. Refreshes do not change it."),
    user_agent: z.string().nullable(),
    device: z.string().nullable().describe("The device in words, from the user agent: `Firefox on Windows`."),
    address: z.string().nullable(),
    created_at: z.iso.datetime(),
    last_seen_at: z.iso.datetime().describe("When it was last refreshed."),
    expires_at: z.iso.datetime().describe("When it ends, even if it is refreshed."),
    current: z.boolean().describe("Whether it is the session of this request."),
  })
  .meta({ id: "Session" });
export type WireSession = z.output<typeof sessionSchema>;

export const exampleSession: WireSession = {
  id: "018f3c4b-0c1d-7a2b-8c3d-4e5f60718293",
  application_id: "018f3c40-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
  aal: "aal1",
  auth_method: "password",
  amr: ["pwd"],
  auth_time: "2026-01-01T12:00:00.000Z",
  user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
  device: "Firefox on Windows",
  address: "203.0.113.7",
  created_at: "2026-01-01T12:00:00.000Z",
  last_seen_at: "2026-01-01T12:10:00.000Z",
  expires_at: "2026-06-30T12:00:00.000Z",
  current: true,
};

export const applicationSchema = z
  .strictObject({
    id: z.uuid(),
    name: z.string(),
    type: z.enum(["spa", "web", "native", "m2m"]),
  })
  .meta({ id: "Application" });

interface SessionColumns
  extends Pick<
    SessionBundle,
    | "application_id"
    | "aal"
    | "auth_method"
    | "amr"
    | "authenticated_at"
    | "user_agent"
    | "address"
    | "last_seen_at"
    | "expires_at"
  > {
  id: string;
  created_at: number;
}

export function toWireSession(row: SessionColumns, current: boolean): WireSession {
  return {
    id: row.id,
    application_id: row.application_id,
    aal: row.aal,
    auth_method: row.auth_method,
    amr: row.amr === '["pwd"]' ? ["pwd"] : JSON.parse(row.amr),
    auth_time: toWireTime(row.authenticated_at),
    user_agent: row.user_agent,
    device: describeDevice(row.user_agent),
    address: row.address,
    created_at: toWireTime(row.created_at),
    last_seen_at: toWireTime(row.last_seen_at),
    expires_at: toWireTime(row.expires_at),
    current,
  };
}

export function sessionOfBundle(bundle: SessionBundle): WireSession {
  return toWireSession({ ...bundle, id: bundle.sid, created_at: bundle.session_created_at }, true);
}

export function userOfBundle(bundle: SessionBundle): WireUser {
  return toWireUser(userColumnsOf(bundle));
}

/** Returns the bundle with the user's id and times in place of the session's. */
export function userColumnsOf(bundle: SessionBundle): UserColumns {
  const { user_id, user_created_at, user_updated_at } = bundle;
  return { ...bundle, id: user_id, created_at: user_created_at, updated_at: user_updated_at };
}

export function toWireApplication(application: Application): z.output<typeof applicationSchema> {
  return { id: application.id, name: application.name, type: application.type };
}

/** The answer of every procedure that signs a user in. */
export const tokensSchema = z
  .strictObject({
    status: z.literal("success"),
    access_token: z.string(),
    token_type: z.literal("Bearer"),
    expires_in: z.int().describe("Seconds until the access token expires."),
    refresh_token: z
      .string()
      .nullable()
      .describe("null for requests from a page, which get it only as an HttpOnly cookie (except native applications)."),
    user: userSchema,
    trusted_device: z
      .string()
      .nullable()
      .optional()
      .describe("If `remember_device` was set: send it at later sign-ins. null if it is a cookie."),
  })
  .meta({ id: "Tokens" });
export type WireTokens = z.output<typeof tokensSchema>;

/** The sign-in needs a second factor before it gets tokens. */
const mfaRequiredSchema = z
  .strictObject({
    status: z.literal("mfa_required"),
    mfa_token: z.string(),
    mfa_token_expires_in: z.int().describe("Seconds."),
    methods: z
      .array(z.string())
      .describe("The second factors that the user can use: `totp`, `passkey`, `recovery_code`."),
    setup_required: z.boolean().describe("Whether the user must first set up a second factor. The token allows that."),
  })
  .meta({ id: "MfaRequired" });

export const signInSchema = z.discriminatedUnion("status", [tokensSchema, mfaRequiredSchema]);
export type WireSignIn = z.output<typeof signInSchema>;

/** A mail was sent, or would be if the account existed. The answer does not tell which. */
export const mailSentSchema = z
  .strictObject({
    status: z.literal("sent"),
    flow_id: z.uuid().describe("Send it together with the code from the mail."),
    expires_in: z.int().describe("Seconds."),
  })
  .meta({ id: "MailSent" });
export const exampleMailSent: z.output<typeof mailSentSchema> = {
  status: "sent",
  flow_id: "018f3c4d-2a3b-7c4d-8e5f-60718293a4b5",
  expires_in: 900,
};

/** The answer of a sign-up: the same as of a sign-in, or that a mail was sent. */
export const signUpSchema = z.discriminatedUnion("status", [tokensSchema, mfaRequiredSchema, mailSentSchema]);

export const exampleTokens: WireTokens = {
  status: "success",
  access_token: "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6…",
  token_type: "Bearer",
  expires_in: 900,
  refresh_token: "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6…",
  user: exampleUser,
};

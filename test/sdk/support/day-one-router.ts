import { initTRPC } from "@trpc/server";
import { z } from "zod";

/**
 * The wire of product.md's "day one" table as a real tRPC router with scripted answers, for SDK tests without the
 * appliance. Its schemas follow the contract; nothing here decides who may sign in.
 */
const user = z
  .object({
    id: z.uuid(),
    email: z.string().nullable(),
    email_verified: z.boolean(),
    display_name: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "User" });

const tokens = z.object({
  status: z.literal("success"),
  access_token: z.string(),
  token_type: z.literal("Bearer"),
  expires_in: z.int().describe("Seconds."),
  refresh_token: z.string().nullable().describe("Null for pages, which have it as an HttpOnly cookie."),
  user,
});

const mfaRequired = z.object({
  status: z.literal("mfa_required"),
  mfa_token: z.string(),
  mfa_token_expires_in: z.int().describe("Seconds."),
  methods: z.array(z.string()),
});

const session = z.object({
  user,
  session: z.object({ id: z.uuid(), created_at: z.iso.datetime() }).nullable(),
  organization: z.object({ id: z.uuid(), name: z.string() }).nullable(),
  application: z.object({ id: z.uuid() }),
});

export interface WireError {
  code: string;
  message: string;
  type: string;
  status: number;
  request_id: string;
  details: unknown;
}

/** Thrown by a scripted answer, and rendered like the appliance's own errors. */
class ScriptedError extends Error {
  readonly wire: WireError;
  constructor(wire: WireError) {
    super(wire.message);
    this.wire = wire;
  }
}

interface Meta {
  output: z.ZodType;
  summary: string;
  rest?: { method: string; path: string };
  access: string;
  errors: string[];
}

export interface Context {
  /** The answer to a sign-in. */
  accessToken: string;
}

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    errorFormatter: ({ shape, error }) => {
      const wire = error.cause instanceof ScriptedError ? error.cause.wire : null;
      if (!wire) return shape;
      const { status, ...envelope } = wire;
      return { ...shape, message: wire.message, data: { ...shape.data, httpStatus: status, error: envelope } };
    },
  });

const login = z.object({
  email: z.string(),
  password: z.string(),
  organization: z.string().optional(),
  audience: z.string().optional(),
  delivery: z.enum(["memory"]).optional().describe("`memory` sets no access cookie."),
});

const scriptedUser: z.infer<typeof user> = {
  id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
  email: "ada@example.com",
  email_verified: false,
  display_name: null,
  metadata: {},
  created_at: "2026-01-01T00:00:00.000Z",
};

export const dayOneRouter = t.router({
  auth: t.router({
    login: t.procedure
      .meta({
        output: z.union([tokens, mfaRequired]),
        summary: "Signs a user in with e-mail address and password.",
        rest: { method: "POST", path: "/v1/auth/login" },
        access: "public",
        errors: ["invalid_credentials", "rate_limited"],
      })
      .input(login)
      .output(z.union([tokens, mfaRequired]))
      .mutation(({ input, ctx }) => {
        if (input.email === "second@example.com") {
          return { status: "mfa_required" as const, mfa_token: "m", mfa_token_expires_in: 300, methods: ["totp"] };
        }
        if (input.password !== "five tame otters hum at dawn") {
          throw new ScriptedError({
            code: "invalid_credentials",
            message: "wrong password or unknown email",
            type: "authentication_error",
            status: 401,
            request_id: "req-1",
            details: null,
          });
        }
        return {
          status: "success" as const,
          access_token: ctx.accessToken,
          token_type: "Bearer" as const,
          expires_in: 900,
          refresh_token: "a-refresh-token",
          user: scriptedUser,
        };
      }),
    session: t.procedure
      .meta({
        output: session,
        summary: "The credential's session.",
        rest: { method: "GET", path: "/v1/auth/session" },
        access: "session",
        errors: ["authentication_required", "token_expired", "token_revoked"],
      })
      .output(session)
      .query(() => ({ user: scriptedUser, session: null, organization: null, application: { id: scriptedUser.id } })),
  }),
  users: t.router({
    list: t.procedure
      .meta({
        output: z.object({ data: z.array(user), next_cursor: z.string().nullable() }),
        summary: "The tenant's users, newest first.",
        rest: { method: "GET", path: "/v1/users" },
        access: "key",
        errors: ["insufficient_scope"],
      })
      .input(z.object({ limit: z.int().min(1).max(100).optional(), cursor: z.string().optional() }).optional())
      .output(z.object({ data: z.array(user), next_cursor: z.string().nullable() }))
      .query(() => ({ data: [scriptedUser], next_cursor: null })),
  }),
});

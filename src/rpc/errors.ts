import { TRPCError } from "@trpc/server";
import { ZodError } from "zod";
import { AppError, type FieldProblem } from "../core/errors.ts";

/**
 * Turns anything thrown into the error that callers see. An undeclared error becomes `internal_error`, and its cause
 * stays private.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof TRPCError) {
    if (error.cause instanceof AppError) return error.cause;
    if (error.cause instanceof ZodError) return fromZod(error.cause);
    if (error.code === "NOT_FOUND") return new AppError("not_found");
    if (error.code === "METHOD_NOT_SUPPORTED") return new AppError("method_not_allowed");
    return new AppError("internal_error", { cause: error.cause ?? error });
  }
  if (error instanceof ZodError) return fromZod(error);
  return new AppError("internal_error", { cause: error });
}

export interface Envelope {
  error: {
    code: string;
    message: string;
    type: string;
    request_id: string;
    details: AppError["details"] | null;
  };
}

export function toEnvelope(error: AppError, requestId: string): Envelope {
  return {
    error: {
      code: error.code,
      message: error.message,
      type: error.type,
      request_id: requestId,
      details: error.details ?? null,
    },
  };
}

function fromZod(error: ZodError): AppError {
  const details: FieldProblem[] = [];
  const mistyped = new Set(
    error.issues.filter(({ code }) => code === "invalid_type").map(({ path }) => path.join(".")),
  );
  for (const issue of error.issues.slice(0, 50)) {
    // The length of a list says nothing about a field that must be text.
    if (issue.code !== "invalid_type" && mistyped.has(issue.path.join("."))) continue;
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys.slice(0, 20)) {
        details.push({ path: [...issue.path, key].join("."), reason: "is not known here" });
      }
    } else {
      details.push({ path: issue.path.join("."), reason: issue.message });
    }
  }
  return new AppError("invalid_input", { details });
}

import { AppError } from "../../core/errors.ts";
import type { Application } from "../applications/application.ts";

/** @throws AppError `forbidden` */
export function requireSignUp(application: Pick<Application, "type" | "signUp">): void {
  if (application.type === "m2m") {
    throw new AppError("forbidden", { message: "This application is for machines. Nobody can sign up." });
  }
  if (application.signUp !== "closed") return;
  throw new AppError("forbidden", { message: "Sign-up is closed for this application." });
}

/** The credential that makes an anonymous user a person. */
export type ClaimKind = "address" | "passkey";

/** The sign-in methods by which the user comes back. A proven address gets a link, a code, or a new password. */
const WAYS_BACK = { address: ["magic_link", "email_code", "password"], passkey: ["passkey"] } as const;

/**
 * Refuses to make an anonymous user a person where nobody may sign up like this. `verified` asks every new account for a proven
 * address, and a credential without a sign-in method would lock the user out. @throws AppError `forbidden`
 */
export function requireClaim(application: Application, kind: ClaimKind): void {
  requireSignUp(application);
  if (application.signUp === "verified" && kind !== "address") {
    throw new AppError("forbidden", { message: "This application asks new accounts for a proven address first." });
  }
  if (WAYS_BACK[kind].some((method) => application.signInMethods.has(method))) return;
  throw new AppError("forbidden", { message: `Nobody can sign in to this application by ${NAMES[kind]}.` });
}

const NAMES = { address: "an address", passkey: "a passkey" } as const;

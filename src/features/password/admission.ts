import { canonicalEmail, type EmailAddress } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import type { Application } from "../../identity/applications/application.ts";

/** The facts of a right password for the one sign-in function. */
export const BY_PASSWORD = { method: "password", amr: ["pwd"], aal: "aal1" } as const;

/** @throws AppError `forbidden` */
export function requireSignUp(application: Application): void {
  if (application.type === "m2m") {
    throw new AppError("forbidden", { message: "This application is for machines. Nobody can sign up." });
  }
  if (application.signUp !== "closed") return;
  throw new AppError("forbidden", { message: "Sign-up is closed for this application." });
}

/** @throws AppError `invalid_input` unless the input is one address */
export function requireEmail(input: string): EmailAddress {
  const email = canonicalEmail(input);
  if (!email) throw invalidField("email", "must be one e-mail address such as ada@example.com");
  return email;
}

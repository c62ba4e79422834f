import { canonicalEmail, type EmailAddress, emailProblem } from "../../core/email.ts";
import { invalidField } from "../../core/errors.ts";

/** The facts of a right password for the one sign-in function. */
export const BY_PASSWORD = { method: "password", amr: ["pwd"], aal: "aal1" } as const;

/** @throws AppError `invalid_input` unless the input is one address */
export function requireEmail(input: string): EmailAddress {
  const email = canonicalEmail(input);
  if (!email) throw invalidField("email", emailProblem(input));
  return email;
}

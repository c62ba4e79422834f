import { expect, test } from "bun:test";
import { SallyportError } from "../../../src/sdk/client/index.ts";
import { problemOf } from "../../../src/sdk/react/problem.ts";
import { english } from "../../../src/sdk/react/texts/english.ts";

const LABELS = { email: "Email address", password: "Password" };

function refused(code: string, more: { details?: unknown; retryAfter?: number } = {}) {
  const error = new SallyportError({
    code,
    message: "As the appliance says.",
    status: 400,
    type: "api_error",
    ...more,
  });
  return problemOf(error, english, LABELS);
}

test("shows a field's reason as a sentence, after the field's name if it continues from it", () => {
  const details = [
    { path: "email", reason: "must be one e-mail address such as ada@example.com" },
    { path: "password", reason: "This is one of the most common passwords. Choose another one." },
    { path: "metadata", reason: "is too large" },
    "noise",
  ];
  expect(refused("invalid_input", { details })).toEqual({
    summary: english.fieldProblems,
    fields: {
      email: "Email address must be one e-mail address such as ada@example.com.",
      password: "This is one of the most common passwords. Choose another one.",
    },
  });
  expect(refused("invalid_input", { details: [{ path: "metadata", reason: "is too large" }] })).toEqual({
    summary: "As the appliance says.",
    fields: {},
  });
});

test.each([
  [1, "1 second"],
  [17, "17 seconds"],
  [600, "10 minutes"],
])("shows a wait of %d seconds as %s", (retryAfter, text) => {
  expect(refused("rate_limited", { retryAfter }).summary).toBe(`Too many attempts. Try again in ${text}.`);
});

test("tells a used code from a wrong one, and says neither of the other", () => {
  expect(refused("code_used").summary).toBe(english.codeUsed);
  expect(refused("code_used").summary).toContain("Wait until your app shows the next one");
  expect(refused("code_used").summary).not.toContain("wrong");
  expect(refused("invalid_code").summary).toBe(english.invalidCode);
});

test("shows the appliance's message for an unknown code, or else that the service is busy", () => {
  expect(refused("new_code").summary).toBe("As the appliance says.");
  expect(problemOf(undefined, english, LABELS).summary).toBe(english.busy);
});

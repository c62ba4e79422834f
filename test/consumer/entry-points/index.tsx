// A project that uses every entry point. test/sdk/publish.test.ts type-checks it and prints the compiler's cost.
import { createClient } from "sallyport/client";
import { requireScope, requireSession } from "sallyport/express";
import { ManagementClient } from "sallyport/management";
import * as components from "sallyport/react";
import { SallyportServer } from "sallyport/server";

export const client = createClient({ url: "http://localhost:8080", applicationId: "app_01HWY4MYSEFGESW2GZ5CY4TQKF" });
export const server = new SallyportServer({ applicationId: "app_01HWY4MYSEFGESW2GZ5CY4TQKF" });
export const guard = [requireSession({ audience: "api.example.com" }), requireScope("pay")];
export const management = new ManagementClient({ clientId: "id", clientSecret: "secret" });
export const signIn = components.SignIn;

export async function listed(): Promise<string[]> {
  const emails: string[] = [];
  for await (const user of management.users.list()) emails.push(user.email ?? "");
  const { user } = await client.auth.session.query();
  return [...emails, user.email ?? ""];
}

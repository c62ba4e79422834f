import type { TestApp } from "./app.ts";
import type { Answer, Client } from "./client.ts";

/** Returns a customer's backend: a caller with a secret key. */
export function backend(app: TestApp, secretKey: string = app.secretKey): Client {
  return app.client().bearer(secretKey);
}

/** Returns the fields of an answer, or its list. */
export function fields<T>(answer: Answer): T {
  return answer.body as unknown as T;
}

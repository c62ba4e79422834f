import type { TestApp } from "./app.ts";
import type { Answer, Client } from "./client.ts";

/** A customer's backend: a secret key, and the application that it belongs to. */
export function backend(app: TestApp, secretKey: string = app.secretKey): Client {
  return app.client().bearer(secretKey);
}

/** The fields of an answer, or of one that holds a list. */
export function fields<T>(answer: Answer): T {
  return answer.body as unknown as T;
}

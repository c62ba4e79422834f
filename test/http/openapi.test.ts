import { expect, test } from "bun:test";
import { errorCatalogue } from "../../src/core/errors.ts";
import { proceduresOf } from "../../src/rpc/invoke.ts";
import { startApp } from "../support/app.ts";
import type { OpenApi } from "../support/contract.ts";

async function published(): Promise<{ document: OpenApi; names: string[] }> {
  const app = await startApp();
  const answer = await app.client().get("/openapi.json");
  const names = Object.keys(proceduresOf(app.app.router));
  await app.close();
  return { document: JSON.parse(answer.text), names };
}

test("the description is OpenAPI 3.1 and has every procedure once, under its name", async () => {
  const { document, names } = await published();
  expect(document.openapi).toStartWith("3.1");
  const operations = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map((one) => one.operationId),
  );
  expect(new Set(operations).size).toBe(operations.length);
  for (const name of names) expect(operations).toContain(name);
});

test("the description has the first release's methods and paths", async () => {
  const { document } = await published();
  for (const [method, path] of [
    ["post", "/v1/auth/register"],
    ["post", "/v1/auth/login"],
    ["post", "/v1/auth/refresh"],
    ["post", "/v1/auth/logout"],
    ["get", "/v1/auth/session"],
    ["get", "/v1/auth/sessions"],
    ["delete", "/v1/auth/sessions"],
    ["delete", "/v1/auth/sessions/{id}"],
    ["post", "/v1/auth/password/change"],
    ["get", "/v1/users"],
    ["get", "/v1/revocations"],
    ["get", "/.well-known/jwks.json"],
    ["get", "/v1/applications/{id}/.well-known/jwks.json"],
    ["get", "/oauth2/jwks"],
  ] as const) {
    expect([path, document.paths[path]?.[method] !== undefined]).toEqual([path, true]);
  }
});

test("every error status names its codes, which the catalogue has with the same status", async () => {
  const { document } = await published();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const { responses } of Object.values(methods)) {
      for (const [status, response] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const { schema } = response.content?.["application/json"] ?? { schema: {} };
        if ((schema as { $ref?: string }).$ref === "#/components/schemas/OAuthError") continue;
        const [, narrowed] = (
          schema as { allOf: { properties: { error: { properties: { code: { enum: string[] } } } } }[] }
        ).allOf;
        const codes = narrowed?.properties.error.properties.code.enum ?? [];
        expect([path, status, codes.length > 0]).toEqual([path, status, true]);
        for (const code of codes) {
          expect([code, errorCatalogue[code as keyof typeof errorCatalogue]?.status]).toEqual([code, Number(status)]);
        }
      }
    }
  }
});

/** The JSON of a browser's WebAuthn call, which later browsers may extend (WebAuthn level 3, section 2.1). */
const BROWSERS_OWN = /passkeys?\/.*\/properties\/response/;

test("objects are closed, so that no answer or body has an undeclared field", async () => {
  const { document } = await published();
  const open: string[] = [];
  const walk = (value: unknown, place: string) => {
    if (typeof value !== "object" || value === null) return;
    const node = value as Record<string, unknown>;
    if (node.type === "object" && node.properties !== undefined && node.additionalProperties !== false)
      open.push(place);
    for (const [key, inner] of Object.entries(node)) walk(inner, `${place}/${key}`);
  };
  walk(document.paths, "paths");
  walk(document.components, "components");
  expect(open.filter((place) => !BROWSERS_OWN.test(place))).toEqual([]);
});

test("examples match their own schemas", async () => {
  const app = await startApp();
  for (const [name, procedure] of Object.entries(proceduresOf(app.app.router))) {
    const { meta, inputs } = procedure._def;
    if (meta?.example?.output !== undefined) {
      expect([name, meta.output.safeParse(meta.example.output).error?.issues]).toEqual([name, undefined]);
    }
    const input = inputs[0] as { safeParse(value: unknown): { success: boolean } } | undefined;
    if (meta?.example?.input !== undefined) {
      expect([name, input?.safeParse(meta.example.input).success]).toEqual([name, true]);
    }
  }
  await app.close();
});

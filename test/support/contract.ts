import type { AnyRouter } from "@trpc/server";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openApiDocument } from "../../src/http/openapi.ts";

interface Operation {
  operationId: string;
  responses: Record<string, { content?: { "application/json"?: { schema: object } } }>;
}
export interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}

/** Judges every answer of the suite by the published description. */
export class Contract {
  static #known: Contract | undefined;

  /**
   * Returns the judge that all applications of this process share, because the description depends only on the program.
   */
  static of(router: AnyRouter): Contract {
    Contract.#known ??= new Contract(openApiDocument(router, "0.0.0-test") as unknown as OpenApi);
    return Contract.#known;
  }

  readonly document: OpenApi;
  readonly #ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: { uuid: true, "date-time": true, email: true },
  });
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #paths: { template: string; pattern: RegExp; operations: Record<string, Operation> }[];

  private constructor(document: OpenApi) {
    this.document = document;
    this.#ajv.addSchema({ $id: "https://openapi.test/", components: document.components });
    this.#paths = Object.entries(document.paths).map(([template, operations]) => ({
      template,
      operations,
      pattern: new RegExp(`^(?:/t/[^/]+)?${template.replaceAll(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.")}$`),
    }));
  }

  /**
   * Checks one answer against the description.
   * @throws Error that names the undeclared part of the answer
   */
  check(method: string, path: string, status: number, body: unknown): void {
    const place = `${method} ${path} ${status}`;
    if (status === 500) throw new Error(`${place}: no test expects an internal error`);
    const operation = this.#operation(method, path);
    if (!operation) {
      if (status >= 400) this.#checkError(place, body);
      return;
    }
    const response = operation.responses[status];
    if (!response)
      throw new Error(`${place}: ${operation.operationId} does not declare this status: ${JSON.stringify(body)}`);
    const schema = response.content?.["application/json"]?.schema;
    if (schema) this.#validate(`${operation.operationId} ${status}`, schema, body, place);
  }

  /** Checks one answer on tRPC's wire, by the same schemas inside tRPC's own frame. */
  checkTrpc(name: string, item: unknown): void {
    const operation = Object.values(this.document.paths)
      .flatMap((methods) => Object.values(methods))
      .find((candidate) => candidate.operationId === name);
    const { result, error } = item as { result?: { data: unknown }; error?: { data: { error: unknown } } };
    if (error) {
      this.#checkError(`trpc ${name}`, { error: error.data.error });
      return;
    }
    const success = Object.entries(operation?.responses ?? {}).find(([status]) => status.startsWith("2"));
    const schema = success?.[1].content?.["application/json"]?.schema;
    if (!schema) throw new Error(`trpc ${name}: the description does not have this procedure`);
    this.#validate(`${name} ${success[0]}`, schema, result?.data, `trpc ${name}`);
  }

  #operation(method: string, path: string): Operation | undefined {
    const verb = (method === "HEAD" ? "GET" : method).toLowerCase();
    return this.#paths.find(({ pattern, operations }) => operations[verb] && pattern.test(path))?.operations[verb];
  }

  #checkError(place: string, body: unknown): void {
    this.#validate("error", { $ref: "#/components/schemas/Error" }, body, place);
  }

  #validate(key: string, schema: object, body: unknown, place: string): void {
    let validate = this.#compiled.get(key);
    if (!validate) {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"https://openapi.test/#/components/');
      validate = this.#ajv.compile(JSON.parse(text));
      this.#compiled.set(key, validate);
    }
    if (!validate(body)) {
      throw new Error(
        `${place} does not match the description: ${this.#ajv.errorsText(validate.errors)}\n${JSON.stringify(body)}`,
      );
    }
  }
}

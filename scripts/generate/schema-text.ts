/**
 * Turns JSON Schema (draft 2020-12, as zod 4 emits it) into TypeScript text. It reads only the keywords that describe a wire
 * value. Limits such as `minLength` do not change a type, and the server checks them.
 */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  description?: string;
  deprecated?: boolean;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  not?: JsonSchema;
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
}

export interface TextOptions {
  /** Returns the name of a `$ref` in the written file. */
  nameOf: (ref: string) => string;
  /** Writes optional fields as `?: T | undefined`, so that callers with exactOptionalPropertyTypes may pass undefined. */
  acceptsUndefined: boolean;
}

/** Returns the text of a type. Objects span lines, which the formatter indents. */
export function typeText(schema: JsonSchema | boolean, options: TextOptions): string {
  if (schema === true) return "unknown";
  if (schema === false) return "never";
  if (schema.$ref !== undefined) return options.nameOf(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)));
  const alternatives = alternativesOf(schema);
  if (alternatives) return union(alternatives.map((part) => typeText(part, options)));
  if (schema.allOf) return schema.allOf.map((part) => `(${typeText(part, options)})`).join(" & ");
  if (schema.not && Object.keys(schema.not).length === 0) return "never";
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => primitive(type, schema, options)));
  return primitive(schema.type, schema, options);
}

/** Returns the alternatives of a type. Those beside an object's own fields only say which fields go together. */
function alternativesOf(schema: JsonSchema): JsonSchema[] | undefined {
  return schema.properties ? undefined : (schema.anyOf ?? schema.oneOf);
}

/** Returns an object's fields in braces, or null unless the schema is a plain object. Others need a type alias. */
export function interfaceBody(schema: JsonSchema, options: TextOptions): string | null {
  if (schema.type !== "object" || alternativesOf(schema) || schema.allOf || schema.$ref !== undefined) return null;
  return objectText(schema, options);
}

/** Returns `/** … *\/` with the lines, or nothing without lines. Escapes text that would close the comment. */
export function docComment(lines: string[]): string {
  const safe = lines.flatMap((line) => line.split("\n")).map((line) => line.replaceAll("*/", "*\\/").trimEnd());
  if (safe.length === 0) return "";
  return safe.length === 1 ? `/** ${safe[0]} */\n` : `/**\n${safe.map((line) => ` * ${line}`).join("\n")}\n */\n`;
}

function primitive(type: string | undefined, schema: JsonSchema, options: TextOptions): string {
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return arrayText(schema, options);
    case "object":
      return objectText(schema, options);
    default:
      return "unknown";
  }
}

function arrayText(schema: JsonSchema, options: TextOptions): string {
  if (schema.prefixItems) {
    const rest =
      schema.items === undefined || schema.items === false ? [] : [`...(${typeText(schema.items, options)})[]`];
    return `[${[...schema.prefixItems.map((item) => typeText(item, options)), ...rest].join(", ")}]`;
  }
  return `Array<${typeText(schema.items ?? true, options)}>`;
}

function objectText(schema: JsonSchema, options: TextOptions): string {
  const required = new Set(schema.required ?? []);
  const fields = Object.entries(schema.properties ?? {}).map(([name, value]) => {
    const notes = [value.description ?? [], value.deprecated ? "@deprecated" : []].flat();
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    const type = typeText(value, options);
    if (required.has(name)) return `${docComment(notes)}${key}: ${type};`;
    return `${docComment(notes)}${key}?: ${options.acceptsUndefined ? union([type, "undefined"]) : type};`;
  });
  const extra = schema.additionalProperties;
  if (extra === undefined || extra === false) return fields.length === 0 ? "Record<string, never>" : braces(fields);
  if (fields.length === 0) return `Record<string, ${typeText(extra, options)}>`;
  // Beside named fields an index signature must admit all of their types, so it can only be unknown.
  return braces([...fields, "[key: string]: unknown;"]);
}

function braces(lines: string[]): string {
  return `{\n${lines.join("\n")}\n}`;
}

/** Joins distinct parts with `|`. `unknown` absorbs the others, as it does for the compiler. */
function union(parts: string[]): string {
  const distinct = [...new Set(parts)];
  if (distinct.includes("unknown")) return "unknown";
  return distinct.length === 0 ? "never" : distinct.join(" | ");
}

/** The forms of a new feature's name: `device-names`, `deviceNames`, `DeviceNames`, `device_names`. */
export interface Names {
  name: string;
  camel: string;
  pascal: string;
  snake: string;
  /** The number of its migration. */
  migration: number;
}

/** Returns the files of a new feature by path, unformatted: a record for each user, which its owner sets and reads. */
export function featureFiles({ name, camel, pascal, snake, migration }: Names): [path: string, text: string][] {
  const folder = `src/features/${name}`;
  const table = `${snake}_records`;
  const number = String(migration).padStart(4, "0");
  return [
    [
      `${folder}/index.ts`,
      `import { defineFeature } from "../../rpc/feature.ts";
import { ${camel}Data } from "./data.ts";
import { ${camel}Router } from "./router.ts";
import { ${pascal} } from "./service.ts";
import { ${camel}Settings } from "./settings.ts";
import { delete${pascal}Of } from "./store.ts";

/** Say in a paragraph what this capability is for. A sign-in method also declares \`signInMethods\`. */
export const ${camel} = defineFeature({
  settings: ${camel}Settings,
  export: ${camel}Data,
  erase: delete${pascal}Of,
  router: ({ identity, procedures, settings }) =>
    ${camel}Router(procedures, new ${pascal}(identity, settings.${snake}_max_length)),
});
`,
    ],
    [
      `${folder}/settings.ts`,
      `import { defineSettings, setting } from "../../core/config.ts";

export const ${camel}Settings = defineSettings({
  ${snake}_max_length: {
    schema: setting.integer(1, 1_000).default(100),
    doc: "Maximum number of characters in a value of ${name}.",
  },
});
`,
    ],
    [
      `${folder}/router.ts`,
      `import * as z from "../../core/zod.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import type { ${pascal} } from "./service.ts";

const success = z.strictObject({ status: z.literal("success") });

export function ${camel}Router(procedures: Procedures, ${camel}: ${pascal}) {
  return {
    ${camel}: {
      set: procedures
        .session({
          summary: "Set the caller's value of ${name}.",
          output: success,
          errors: [],
          rest: { method: "POST", path: "/v1/me/${name}" },
          example: { input: { value: "one" }, output: { status: "success" } },
        })
        .input(z.strictObject({ value: z.string() }))
        .mutation(async ({ ctx, input }) => {
          await ${camel}.set(ctx, input.value);
          return { status: "success" as const };
        }),
    },
  };
}
`,
    ],
    [
      `${folder}/service.ts`,
      `import { invalidField } from "../../core/errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { AdmittedSession } from "../../rpc/gate.ts";
import { put${pascal} } from "./store.ts";

/** The rules: no Request, no SQL. */
export class ${pascal} {
  constructor(
    private readonly identity: Pick<Identity, "storage" | "clock">,
    private readonly maxLength: number,
  ) {}

  /** @throws AppError \`invalid_input\` for a value that is empty or too long */
  set({ session }: AdmittedSession, value: string): Promise<void> {
    if (value.length < 1 || value.length > this.maxLength) {
      throw invalidField("value", \`must have 1 to \${this.maxLength} characters\`);
    }
    const { storage, clock } = this.identity;
    const row = { user_id: session.user_id, tenant_id: session.tenant_id, value, created_at: clock.now() };
    return storage.write((tx) => put${pascal}(tx, row));
  }
}
`,
    ],
    [
      `${folder}/store.ts`,
      `import type { ${pascal}RecordsTable } from "../../storage/migrations/${number}-${name}.ts";
import type { Executor } from "../../storage/storage.ts";

export async function put${pascal}(tx: Executor, row: ${pascal}RecordsTable): Promise<void> {
  await tx.kysely
    .insertInto("${table}")
    .values(row)
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet({ value: row.value, created_at: row.created_at }))
    .execute();
}

export async function find${pascal}(at: Executor, userId: string): Promise<${pascal}RecordsTable | undefined> {
  return at.kysely.selectFrom("${table}").selectAll().where("user_id", "=", userId).executeTakeFirst();
}

export async function delete${pascal}Of(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("${table}").where("user_id", "=", userId).execute();
}
`,
    ],
    [
      `${folder}/data.ts`,
      `import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import { defineUserPart } from "../../rpc/user-parts.ts";
import { find${pascal} } from "./store.ts";

/** The user's data in the export: no secret, no hash and no key. */
export const ${camel}Data = defineUserPart({
  schema: { ${snake}: z.strictObject({ created_at: z.iso.datetime() }).nullable() },
  example: { ${snake}: null },
  read: async (at, { userId }) => {
    const row = await find${pascal}(at, userId);
    return { ${snake}: row ? { created_at: toWireTime(row.created_at) } : null };
  },
});
`,
    ],
    [
      `src/storage/migrations/${number}-${name}.ts`,
      `import type { Migration } from "../columns.ts";

/** Say what this table keeps and for how long. Deleted with its user. */
export interface ${pascal}RecordsTable {
  user_id: string;
  tenant_id: string;
  value: string;
  created_at: number;
}

export const ${camel}: Migration = {
  id: ${migration},
  name: "${name}",
  statements: (c) => [
    \`CREATE TABLE ${table} (
      user_id \${c.text} PRIMARY KEY NOT NULL REFERENCES users (id),
      tenant_id \${c.text} NOT NULL REFERENCES tenants (id),
      value \${c.text} NOT NULL,
      created_at \${c.int} NOT NULL
    ) \${c.end}\`,
  ],
};
`,
    ],
    [
      `test/features/${name}/${name}.test.ts`,
      `import { expect } from "bun:test";
import { scenarios } from "../../support/scenarios.ts";

scenarios("${name}", (t) => {
  t.test("accepts only a value of the allowed length", async (app) => {
    const { tokens } = await app.signedIn();
    const caller = app.client().bearer(tokens.accessToken);
    expect((await caller.post("/v1/me/${name}", { value: "" })).code).toBe("invalid_input");
    expect((await caller.post("/v1/me/${name}", { value: "x".repeat(101) })).code).toBe("invalid_input");
    expect((await caller.post("/v1/me/${name}", { value: "x" })).status).toBe(200);
  });

  t.test("refuses every attack that its paragraph names", async () => {
    expect.unreachable("Write this test: name each attack, and show that ${name} refuses it.");
  });
});
`,
    ],
  ];
}

/**
 * Lays out a capability: `bun run scripts/new-feature.ts device-names` makes src/features/device-names/ with a procedure that
 * works, to be rewritten into what it is for, and adds the line of the registry.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./lib/run.ts";

function fail(sentence: string): never {
  console.error(`new-feature: ${sentence}`);
  process.exit(1);
}

const [name = ""] = process.argv.slice(2);
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) fail("say a name in kebab-case, such as device-names.");
const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const pascal = camel.charAt(0).toUpperCase() + camel.slice(1);

const features = join(ROOT, "src/features");
const folder = join(features, name);
const registry = join(features, "index.ts");
if (!existsSync(registry)) fail("there is no src/features/index.ts to add the feature to.");
if (existsSync(folder)) fail(`src/features/${name} exists already.`);

const files: Record<string, string> = {
  "index.ts": `import { defineFeature } from "../../rpc/feature.ts";
import { ${camel}Router } from "./router.ts";
import { ${pascal} } from "./service.ts";

/** What this capability is for, in a paragraph. */
export const ${camel} = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => ${camel}Router(procedures, new ${pascal}(identity)),
});
`,
  "router.ts": `import { z } from "zod";
import type { Procedures } from "../../rpc/procedures.ts";
import type { ${pascal} } from "./service.ts";

const answer = z.strictObject({ display_name: z.string().nullable() });

export function ${camel}Router(procedures: Procedures, ${camel}: ${pascal}) {
  return {
    ${camel}: {
      get: procedures
        .session({
          summary: "The name of who is signed in.",
          output: answer,
          errors: ["not_found"],
          rest: { method: "GET", path: "/v1/me/${name}" },
        })
        .query(async ({ ctx }) => ({ display_name: await ${camel}.displayName(ctx.session.user_id) })),
    },
  };
}
`,
  "service.ts": `import { AppError } from "../../core/errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { findDisplayName } from "./store.ts";

/** The rules: no Request, no SQL. */
export class ${pascal} {
  constructor(private readonly identity: Identity) {}

  /** @throws AppError \`not_found\` */
  async displayName(userId: string): Promise<string | null> {
    const row = await findDisplayName(this.identity.storage.read, userId);
    if (!row) throw new AppError("not_found");
    return row.display_name;
  }
}
`,
  "store.ts": `import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const displayName = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("users").select("display_name").where("id", "=", p("user_id")),
);
export const findDisplayName = (at: Executor, userId: string) => at.first(displayName, { user_id: userId });
`,
};

/** The registry with one more import and one more name, both in order. */
function register(text: string): string {
  const line = `import { ${camel} } from "./${name}/index.ts";`;
  const imports = [...text.matchAll(/^import .*$/gm)].map(([found]) => found);
  const names = /export const features = \{([^}]*)\}/.exec(text)?.[1];
  const last = imports.at(-1);
  if (names === undefined || last === undefined)
    fail("src/features/index.ts has another shape than this script knows.");
  const listed = [...names.split(",").map((entry) => entry.trim()), camel].filter(Boolean).sort();
  return text
    .replace(imports.join("\n"), [...imports, line].sort().join("\n"))
    .replace(`{${names}}`, `{ ${listed.join(", ")} }`);
}

const registered = register(readFileSync(registry, "utf8"));
mkdirSync(folder);
for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
writeFileSync(registry, registered);
console.log(`src/features/${name}: ${Object.keys(files).join(", ")}, and its line in src/features/index.ts`);

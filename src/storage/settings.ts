import { defineSettings, setting } from "../core/config.ts";
import * as z from "../core/zod.ts";
import { reasonOf } from "./errors.ts";
import { hostsOf } from "./postgres-url.ts";

export const storageSettings = defineSettings({
  database_url: {
    schema: z
      .string()
      .superRefine((text, ctx) => {
        try {
          hostsOf(text);
        } catch (error) {
          ctx.addIssue({ code: "custom", message: reasonOf(error) });
        }
      })
      .optional(),
    secret: true,
    doc: "Uses PostgreSQL instead of the embedded SQLite: postgres://user:password@host/database. Several hosts stand with commas between them.",
  },
  database_driver: {
    schema: z.enum(["bun", "pg"]).default("bun"),
    doc: "The PostgreSQL driver: Bun's own, or the older and slower pg.",
  },
  database_connections: {
    schema: setting.integer(2, 200).default(10),
    doc: "The maximum number of connections to PostgreSQL.",
  },
});

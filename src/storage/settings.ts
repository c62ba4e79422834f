import { defineSettings, setting } from "../core/config.ts";
import * as z from "../core/zod.ts";

export const storageSettings = defineSettings({
  database_url: {
    schema: z
      .string()
      .regex(/^postgres(ql)?:\/\//, "must begin with postgres://")
      .optional(),
    secret: true,
    doc: "Uses PostgreSQL instead of the embedded SQLite: postgres://user:password@host/database.",
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

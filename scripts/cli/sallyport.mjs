#!/usr/bin/env node
/**
 * `npx sallyport …` in a clone: the same program as `npm run dev`, from the same source, so that both read one schema. A
 * package of its own, because what `npm pack` makes of the clone is the SDK, and holds no appliance.
 */
import { fileURLToPath } from "node:url";
import { runBun } from "../bun.mjs";

await runBun([fileURLToPath(new URL("../../src/main.ts", import.meta.url)), ...process.argv.slice(2)]);

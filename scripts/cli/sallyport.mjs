#!/usr/bin/env node
/**
 * Runs `npx sallyport …` in a clone: the same program as `npm run dev`, from the same source, so that both use one
 * schema. It is a separate package, because `npm pack` packs the SDK, which contains no appliance.
 */
import { fileURLToPath } from "node:url";
import { runBun } from "../bun.mjs";

await runBun([fileURLToPath(new URL("../../src/main.ts", import.meta.url)), ...process.argv.slice(2)]);

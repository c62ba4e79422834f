import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ROOT } from "./run.ts";

/**
 * Parts that `npm test` leaves out unless a path names them: they take minutes, or need programs that a machine may lack.
 */
const PARTS: Readonly<Record<string, string>> = {
  browser: "test/browser/**",
  "other languages": "test/interop/**",
  examples: "test/examples/**",
  "blocks of the guides": "test/docs/fresh-clone.test.ts",
  "compiled executable": "test/binary/**",
};
/** Tests that run the compiled executable. */
const DRIVES_EXECUTABLE = /^test\/(binary|interop)\//;
/** The only functions that give a test a PostgreSQL. A file that uses another way starts its own server. */
const USES_POSTGRES = /\b(scenarios|postgresScenarios|postgresGroup|postgresTest|eachPostgresDriver|startPostgres)\(/;

export interface Selection {
  files: readonly string[];
  /** The names of the parts that were left out. */
  leftOut: readonly string[];
  drivesExecutable: boolean;
  usesPostgres: boolean;
}

/**
 * Selects test files.
 * @param patterns as in `bun test`: a file runs when its path contains one of them
 * @param all also selects PostgreSQL and the parts that no pattern names
 */
export function selectFiles(patterns: readonly string[], all: boolean): Selection {
  const leftOut = all || patterns.length > 0 ? [] : Object.keys(PARTS);
  const ignored = leftOut.map((name) => new Glob(PARTS[name] ?? ""));
  const matches = (file: string) =>
    patterns.length === 0 || patterns.some((pattern) => file.includes(pattern.replace(/^\.\//, "")));
  const files = [...new Glob("test/**/*.test.{ts,tsx}").scanSync(ROOT)]
    .filter((file) => matches(file) && !ignored.some((glob) => glob.match(file)))
    .sort();
  const texts = all ? files.map((file) => readFileSync(join(ROOT, file), "utf8")) : [];
  return {
    files,
    leftOut: all ? [] : ["PostgreSQL", ...leftOut],
    drivesExecutable: files.some((file) => DRIVES_EXECUTABLE.test(file)),
    usesPostgres: texts.some((text) => USES_POSTGRES.test(text)),
  };
}

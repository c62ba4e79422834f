import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ROOT } from "./run.ts";

/** Parts that `npm test` leaves out unless a path names them: minutes each, or programs that a machine may lack. */
const PARTS: Readonly<Record<string, string>> = {
  browser: "test/browser/**",
  "other languages": "test/interop/**",
  examples: "test/examples/**",
  "blocks of the guides": "test/docs/fresh-clone.test.ts",
  "compiled executable": "test/binary/**",
};
/** These drive the compiled executable. */
const DRIVES_EXECUTABLE = /^test\/(binary|interop)\//;
/** These are the only ways to a PostgreSQL. A file that finds another one starts a server of its own. */
const USES_POSTGRES = /\b(scenarios|postgresScenarios|postgresGroup|postgresTest|eachPostgresDriver|startPostgres)\(/;

export interface Selection {
  files: readonly string[];
  /** The parts that were left out, by name. */
  leftOut: readonly string[];
  drivesExecutable: boolean;
  usesPostgres: boolean;
}

/**
 * Selects test files.
 * @param patterns as `bun test` takes them: a file is run when one of them stands in its path
 * @param all whether parts count that no pattern names, and PostgreSQL
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

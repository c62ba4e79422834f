import { relative, resolve } from "node:path";

/** Where `bun build --compile` keeps the modules of an executable. */
const COMPILED = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/;

export interface Started {
  /** The entry module: `Bun.main`. */
  main: string;
  /** The program's name as it was typed. */
  argv0: string;
  cwd: string;
}

/**
 * Returns the words that start this same program again from the same directory: `npx sallyport` in a clone, `./dist/sallyport`
 * for the executable as it was typed. Where nothing is known to work, it is the plain name.
 */
export function invocation({ main, argv0, cwd }: Started): string {
  if (COMPILED.test(main)) return argv0;
  const path = relative(resolve(main, "../.."), cwd);
  return path.startsWith("..") ? "sallyport" : "npx sallyport";
}

/** Commands in sentences (`` `sallyport init` ``) and at the beginning of lines, as this instance was started. */
export function asStarted(text: string, command: string): string {
  return text.replaceAll(/(^ *|`|\bNext: )sallyport (?=[a-zA-Z-])/gm, `$1${command} `);
}

import { relative, resolve } from "node:path";

/** The folder in which `bun build --compile` keeps the modules of an executable. */
const COMPILED = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN[\\/])/;

export interface Started {
  /** The entry module: `Bun.main`. */
  main: string;
  /** The program's name as the user typed it. */
  argv0: string;
  cwd: string;
}

/**
 * Returns the words that start this program again from the same directory: `npx sallyport` in a clone, `./dist/sallyport`
 * for an executable, as the user typed it. Returns the plain name if no better form is known.
 */
export function invocation({ main, argv0, cwd }: Started): string {
  if (COMPILED.test(main)) return argv0;
  const path = relative(resolve(main, "../.."), cwd);
  return path.startsWith("..") ? "sallyport" : "npx sallyport";
}

/** Rewrites commands in sentences (`` `sallyport init` ``) and at the start of lines to begin as this program was started. */
export function asStarted(text: string, command: string): string {
  return text.replaceAll(/(^ *(?:[A-Z_]+=\S+ )*|`|\bNext: )sallyport (?=[a-zA-Z-])/gm, `$1${command} `);
}

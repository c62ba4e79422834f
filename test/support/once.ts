import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Set by `npm test`: a folder that is removed after the run. */
const folder = process.env.SALLYPORT_TEST_FOLDER;

/**
 * Returns the text of `make`, the same in every process of this run. If two processes make it at once, the first text
 * that reaches the folder counts. Without a folder (a bare `bun test`), each test file makes its own.
 */
export async function onceInRun(name: string, make: () => Promise<string>): Promise<string> {
  if (!folder) return make();
  const file = join(folder, name);
  if (!existsSync(file)) {
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, await make());
    try {
      linkSync(draft, file);
    } catch (error) {
      if (!existsSync(file)) throw error;
    }
    rmSync(draft);
  }
  return readFileSync(file, "utf8");
}

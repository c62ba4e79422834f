import { join } from "node:path";
import type { LoadCommand, LoadResult, Target } from "./load.ts";
import { LOAD_CORE } from "./processes.ts";

/** Milliseconds beyond a run's own duration until the load generator, or its server, counts as stuck. */
const PATIENCE = 60_000;

/** The load process, as the benchmark controls it. */
export class Loader {
  readonly #child;
  #answer: (message: { result?: LoadResult }) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor() {
    this.#child = Bun.spawn(["taskset", "-c", LOAD_CORE, process.execPath, "run", join(import.meta.dir, "load.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "json",
      ipc: (message) => this.#answer(message as { result?: LoadResult }),
      onExit: (_child, code) => this.#failed(new Error(`the load ended with ${code}`)),
    });
  }

  async define(name: string, target: Target): Promise<void> {
    await this.#ask({ kind: "define", name, target }, PATIENCE);
  }

  /** @throws Error unless every answer was a 2xx, because a fast refusal is not a result */
  async run(
    name: string,
    options: { connections: number; ms: number; warmMs: number; count?: number },
  ): Promise<LoadResult> {
    // A run by count has no fixed duration: a million requests take minutes on a busy machine.
    const own = options.count === undefined ? options.ms + options.warmMs : options.count;
    const { result } = await this.#ask({ kind: "run", name, ...options }, own + PATIENCE);
    if (!result) throw new Error("the load gave no result");
    if (result.errors > 0) throw new Error(`${name}: ${result.errors} errors, the first: ${result.firstError}`);
    return result;
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(command: LoadCommand, patience: number): Promise<{ result?: LoadResult }> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#failed(new Error(`the load did not answer in ${patience} ms`)), patience);
      this.#answer = (message) => {
        clearTimeout(late);
        resolve(message);
      };
      this.#failed = (error) => {
        clearTimeout(late);
        reject(error);
      };
      this.#child.send(command);
    });
  }
}

import { join } from "node:path";
import type { LoadCommand, LoadResult, Target } from "./load.ts";
import { LOAD_CORE } from "./processes.ts";

/** The load process, seen from the bench. */
export class Loader {
  readonly #child;
  #answer: (message: { result?: LoadResult }) => void = () => undefined;

  constructor() {
    this.#child = Bun.spawn(["taskset", "-c", LOAD_CORE, process.execPath, "run", join(import.meta.dir, "load.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "json",
      ipc: (message) => this.#answer(message as { result?: LoadResult }),
    });
  }

  async define(name: string, target: Target): Promise<void> {
    await this.#ask({ kind: "define", name, target });
  }

  /** @throws Error when a single answer was not a 2xx: a fast refusal is no result */
  async run(
    name: string,
    options: { connections: number; ms: number; warmMs: number; count?: number },
  ): Promise<LoadResult> {
    const { result } = await this.#ask({ kind: "run", name, ...options });
    if (!result) throw new Error("the load gave no result");
    if (result.errors > 0) throw new Error(`${name}: ${result.errors} errors, the first: ${result.firstError}`);
    return result;
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(command: LoadCommand): Promise<{ result?: LoadResult }> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#child.send(command);
    });
  }
}

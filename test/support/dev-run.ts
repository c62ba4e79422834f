import { mkdtempSync, rmSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { eventually } from "./eventually.ts";

const ROOT = resolve(import.meta.dir, "../..");
const MAIN = join(ROOT, "src/main.ts");

interface Options {
  args?: readonly string[];
  /** The program; runs from the source by default. */
  program?: readonly string[];
  env?: Record<string, string>;
  /** Whether its output is a terminal. */
  terminal?: boolean;
}

/** Runs `sallyport dev` as a newcomer does: as text, in its own directory inside the clone. */
export class DevRun {
  #output = "";
  #errors = "";

  private constructor(
    readonly cwd: string,
    private readonly env: Record<string, string>,
    private readonly child: Bun.Subprocess,
  ) {}

  static async start(cwd: string, options: Options = {}): Promise<DevRun> {
    const { args = ["--port", "0"], program = [process.execPath, "run", MAIN], terminal = false } = options;
    const env = environment(options.env);
    let run: DevRun | undefined;
    const decoder = new TextDecoder();
    let early = "";
    const take = (text: string) => {
      if (run) run.#output += text;
      else early += text;
    };
    const child = Bun.spawn([...program, "dev", ...args], {
      cwd,
      env,
      stdin: terminal ? undefined : "ignore",
      ...(terminal
        ? {
            terminal: {
              cols: 200,
              rows: 50,
              data: (_: unknown, data: Uint8Array) => take(decoder.decode(data, { stream: true })),
            },
          }
        : { stdout: "pipe", stderr: "pipe" }),
    } as Parameters<typeof Bun.spawn>[1]);
    run = new DevRun(cwd, env, child);
    run.#output += early;
    if (!terminal) {
      void run.#read(child.stdout as ReadableStream<Uint8Array>, (text) => {
        take(text);
      });
      void run.#read(child.stderr as ReadableStream<Uint8Array>, (text) => {
        if (run) run.#errors += text;
      });
    }
    await eventually(() => {
      if (child.exitCode !== null) throw new Error(`dev ended with ${child.exitCode}`);
      if (!run?.output.includes("Data in")) throw new Error(`dev is not ready:\n${run?.output}\n${run?.errors}`);
    });
    return run;
  }

  /** All output on a terminal, otherwise standard output. */
  get output(): string {
    return this.#output.replaceAll("\r\n", "\n");
  }

  /** Standard error, unless it is the terminal. */
  get errors(): string {
    return this.#errors;
  }

  get url(): string {
    return this.exports().SALLYPORT_URL ?? "";
  }

  /** Returns the variables of the block to paste. */
  exports(): Record<string, string> {
    const lines = [...this.output.matchAll(/^ {2}export ([A-Z_]+)=(\S+)$/gm)];
    return Object.fromEntries(lines.map((match) => [match[1] ?? "", match[2] ?? ""]));
  }

  /** Returns the printed commands that begin with these words, each with its continued lines. */
  printed(words: string): string[] {
    const whole = this.output.replaceAll("\\\n", "");
    return whole.split("\n").flatMap((line) => (line.trim().startsWith(words) ? [line.trim()] : []));
  }

  /** Runs lines in a second terminal in the same directory. */
  async paste(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = Bun.spawn(["sh", "-eu", "-c", script], {
      cwd: this.cwd,
      env: this.env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  }

  /** Resolves with the exit code. */
  get ended(): Promise<number> {
    return this.child.exited;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    this.child.kill(signal);
    return this.child.exited;
  }

  async #read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
  }
}

const directories: string[] = [];

/**
 * Makes an empty directory inside the clone, where `npx sallyport` works. {@link removeDirectoriesInClone} removes it.
 */
export function directoryInClone(): string {
  const directory = mkdtempSync(join(ROOT, ".sallyport-test-"));
  directories.push(directory);
  return directory;
}

export function removeDirectoriesInClone(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

function environment(more: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !/^(SALLYPORT_|NO_COLOR|FORCE_COLOR)/.test(entry[0]),
  );
  const path = [process.env.PATH, dirname(process.execPath)].join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path, ...more };
}

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

/** Milliseconds. The first command of a fresh clone installs the packages. */
const PATIENCE = 240_000;
const PACE = 50;

export interface Ran {
  stdout: string;
  stderr: string;
  /** The statuses of all curl calls, in order. */
  statuses: number[];
}

/** Records the status of every answer, and otherwise behaves like curl. */
const CURL = `#!/bin/sh
exec "$DOCS_CURL" --dump-header "$DOCS_STATUSES/$(date +%s%N)-$$" "$@"
`;

/** One terminal: a bash that keeps its directory and its variables from block to block. */
export class Session {
  readonly #bash: ChildProcess;
  readonly #folder: string;
  readonly #statuses: string;
  #turn = 0;
  #ended = false;

  /** @param folder receives the scripts and outputs of this session */
  constructor(folder: string, directory: string, env: Record<string, string>) {
    this.#folder = folder;
    this.#statuses = join(folder, "statuses");
    const programs = join(folder, "bin");
    mkdirSync(this.#statuses, { recursive: true });
    mkdirSync(programs, { recursive: true });
    writeFileSync(join(programs, "curl"), CURL);
    chmodSync(join(programs, "curl"), 0o755);
    const curl = Bun.which("curl", { PATH: env.PATH ?? "" }) ?? "curl";
    const environment = { ...env, PATH: `${programs}:${env.PATH}`, DOCS_CURL: curl, DOCS_STATUSES: this.#statuses };
    // A separate process group, so that ending it also ends its servers.
    this.#bash = spawn("bash", ["--noprofile", "--norc"], {
      cwd: directory,
      env: environment,
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#bash.on("exit", () => {
      this.#ended = true;
    });
  }

  /**
   * Runs a block to its end.
   * @throws Error with its output if a command of it fails
   */
  async run(script: string): Promise<Ran> {
    const { file, out, err, done } = this.#files(script);
    const noted = new Set(readdirSync(this.#statuses));
    this.#type(`set -eu -o pipefail; source ${file} >${out} 2>${err} </dev/null; set +eu; touch ${done}`);
    await this.#until(
      () => existsSync(done) || this.#ended,
      () => `${script}\nstill runs after ${PATIENCE} ms`,
    );
    const [stdout, stderr] = [readFileSync(out, "utf8"), readFileSync(err, "utf8")];
    if (!existsSync(done)) throw new Error(`A command of this block failed:\n${script}\n${stdout}\n${stderr}`);
    const names = readdirSync(this.#statuses)
      .filter((name) => !noted.has(name))
      .sort();
    return {
      stdout,
      stderr,
      statuses: names.map((name) => lastStatus(readFileSync(join(this.#statuses, name), "utf8"))),
    };
  }

  /** Starts a server in this session's directory and waits until it listens. Returns its output until then. */
  async start(script: string): Promise<string> {
    const { file, out, done } = this.#files(script.replace(/&\s*$/, "\n"));
    this.#type(`(source ${file}; touch ${done}) >${out} 2>&1 </dev/null &`);
    const output = () => (existsSync(out) ? readFileSync(out, "utf8") : "");
    const listens = async () => {
      if (existsSync(done)) throw new Error(`This server ended:\n${script}\n${output()}`);
      const port = /https?:\/\/(?:localhost|127\.0\.0\.1):(\d+)/.exec(output())?.[1];
      return port !== undefined && (await isOpen(Number(port)));
    };
    await this.#until(listens, () => `This server does not listen:\n${script}\n${output()}`);
    // The output arrives in one or more pieces.
    for (let before = ""; before !== output(); await Bun.sleep(4 * PACE)) before = output();
    return output();
  }

  /** Ends the terminal and everything that runs in it. */
  async end(): Promise<void> {
    const { pid } = this.#bash;
    if (pid !== undefined && !this.#ended) process.kill(-pid, "SIGTERM");
    await this.#until(
      () => this.#ended,
      () => "the terminal did not end",
    );
  }

  #files(script: string) {
    this.#turn += 1;
    const [file = "", out = "", err = "", done = ""] = ["sh", "out", "err", "done"].map((end) =>
      join(this.#folder, `${this.#turn}.${end}`),
    );
    writeFileSync(file, script);
    return { file, out, err, done };
  }

  #type(line: string): void {
    this.#bash.stdin?.write(`${line}\n`);
  }

  async #until(holds: () => boolean | Promise<boolean>, problem: () => string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(problem());
      await Bun.sleep(PACE);
    }
  }
}

/** Returns the status of the last answer, after redirections and "100 Continue". */
function lastStatus(headers: string): number {
  return Number([...headers.matchAll(/^HTTP\/\S+ (\d+)/gm)].at(-1)?.[1] ?? 0);
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

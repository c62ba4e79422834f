import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environment, ROOT, succeed } from "./commands.ts";
import { virtualEnvironment } from "./virtual-environment.ts";

export interface Example {
  /** A copy of the example in its own folder, with the packages that its README installs. */
  folder: string;
  /** The commands of the README, block by block. */
  blocks: string[];
}

export interface Running {
  url: string;
  stop(): Promise<void>;
}

/** Holds the copies, and the package that they install. */
export class Workshop {
  readonly #folder: string;
  readonly #tarball: string;

  private constructor(folder: string, tarball: string) {
    this.#folder = folder;
    this.#tarball = tarball;
  }

  /** Builds and packs the SDK, apart from the builds of other tests. */
  static async open(): Promise<Workshop> {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-examples-"));
    const source = join(folder, "package");
    await mkdir(source);
    for (const file of ["package.json", "README.md", "CHANGELOG.md", "LICENSE"]) {
      await cp(join(ROOT, file), join(source, file));
    }
    await succeed([process.execPath, "run", "scripts/build-sdk.ts", join(source, "dist/sdk")], ROOT);
    const packed = await succeed(["npm", "pack", "--ignore-scripts", "--json", "--pack-destination", folder], source);
    const answer = JSON.parse(packed) as Record<string, { filename: string }>;
    return new Workshop(folder, join(folder, Object.values(answer)[0]?.filename ?? ""));
  }

  /** @param packages further packages from this repository; nothing is fetched */
  async npmExample(name: string, packages: string[] = []): Promise<Example> {
    const folder = await this.#copy(name);
    const install = ["npm", "install", "--offline", "--no-save", "--no-audit", "--no-fund", this.#tarball];
    await succeed([...install, ...packages.map((each) => join(ROOT, "node_modules", each))], folder);
    return read(folder);
  }

  async pythonExample(name: string): Promise<Example> {
    const folder = await this.#copy(name);
    await symlink(await virtualEnvironment(join(folder, "requirements.txt")), join(folder, ".venv"));
    return read(folder);
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #copy(name: string): Promise<string> {
    const folder = join(this.#folder, name);
    const isOfSomebody = /\/(node_modules|\.venv|\.env|__pycache__)$/;
    await cp(join(ROOT, "test/examples", name), folder, {
      recursive: true,
      filter: (path) => !isOfSomebody.test(path.slice(ROOT.length - 1)),
    });
    return folder;
  }
}

async function read(folder: string): Promise<Example> {
  const text = await readFile(join(folder, "README.md"), "utf8");
  return { folder, blocks: [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = ""]) => block) };
}

/** Starts the server with the line of the README that ends in `&`, on a free port. */
export async function start(example: Example, env: Record<string, string>): Promise<Running> {
  const line = /^(.+) &$/m.exec(example.blocks[0] ?? "")?.[1];
  if (line === undefined) throw new Error("The README starts no server.");
  const script = `exec ${line.replace("--port 3000", "--port 0")} 2>&1`;
  const child = Bun.spawn(["bash", "-c", script], {
    cwd: example.folder,
    env: environment({ ...env, PORT: "0" }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const stop = async () => {
    child.kill();
    await child.exited;
  };
  return { url: await addressIn(child.stdout), stop };
}

/** Waits for the line with the address, and continues to read so that the pipe never fills. */
function addressIn(output: ReadableStream<Uint8Array>): Promise<string> {
  return new Promise((found, failed) => {
    const follow = async () => {
      let text = "";
      const decoder = new TextDecoder();
      for await (const chunk of output) {
        if (text.length < 100_000) text += decoder.decode(chunk, { stream: true });
        const address = /http:\/\/[\w.]+:\d+(?=\s)/.exec(text)?.[0];
        if (address !== undefined) found(address);
      }
      failed(new Error(`The server ended before it listened:\n${text}`));
    };
    follow().catch(failed);
  });
}

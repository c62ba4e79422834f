import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** An example as another project: the built package, its own React, and no source of this repository. */
export interface ExampleProject extends AsyncDisposable {
  folder: string;
  /** @throws Error with the compiler's output */
  typeCheck(...files: string[]): Promise<void>;
  /** Starts its `serve.ts` on a free port. */
  serve(env: Record<string, string>): Promise<ExampleServer>;
}

export interface ExampleServer extends AsyncDisposable {
  origin: string;
}

export async function exampleProject(name: string): Promise<ExampleProject> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-example-"));
  await cp(join(ROOT, "test/examples", name), folder, { recursive: true });
  const own = join(folder, "node_modules/sallyport");
  await mkdir(own, { recursive: true });
  await cp(join(ROOT, "package.json"), join(own, "package.json"));
  await succeed([process.execPath, "run", "scripts/build-sdk.ts", join(own, "dist/sdk")], ROOT);
  for (const installed of ["react", "react-dom", "@types"]) {
    await symlink(join(ROOT, "node_modules", installed), join(folder, "node_modules", installed));
  }
  return {
    folder,
    typeCheck: async (...files) => {
      const tsc = join(ROOT, "node_modules/.bin/tsc");
      const modules = ["--module", "esnext", "--moduleResolution", "bundler", "--jsx", "react-jsx"];
      const target = ["--target", "esnext", "--lib", "esnext,dom", "--types", "bun", "--skipLibCheck"];
      await succeed([tsc, "--ignoreConfig", "--strict", "--noEmit", ...modules, ...target, ...files], folder);
    },
    serve: (env) => serve(folder, env),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function serve(folder: string, env: Record<string, string>): Promise<ExampleServer> {
  const child = Bun.spawn([process.execPath, "serve.ts"], {
    cwd: folder,
    env: { ...process.env, ...env, PORT: "0" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const origin = new TextDecoder().decode(value).trim();
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}

async function succeed(command: string[], cwd: string): Promise<void> {
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed:\n${stdout}\n${stderr}`);
}

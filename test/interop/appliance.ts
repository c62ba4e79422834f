import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { capture, linesOf } from "./commands.ts";

const EXECUTABLE = resolve(process.env.SALLYPORT_BIN || join(import.meta.dir, "../../dist/sallyport"));

/** A real instance with its own data directory: `init` prepares it, `serve` runs it, and commands administer it meanwhile. */
export interface Appliance {
  /** The public base URL, which is the issuer of the default tenant. */
  url: string;
  defaultApplicationId: string;
  /** Runs `sallyport …` on the data directory. @returns its output @throws Error if it fails */
  command(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** @throws Error with its output if it does not start */
export async function startAppliance(): Promise<Appliance> {
  if (!existsSync(EXECUTABLE))
    throw new Error(`${EXECUTABLE} is missing: run \`npm run build\`, or set SALLYPORT_BIN.`);
  const folder = mkdtempSync(join(tmpdir(), "sallyport-interop-"));
  const data = join(folder, "data");
  const env = environmentFor(join(folder, "master.key"));
  const command = (...args: string[]) => capture([EXECUTABLE, ...args, "--data", data], folder, env);
  const { SALLYPORT_MASTER_KEY_FILE: newKey = "", ...without } = env;
  const init = [EXECUTABLE, "init", "--data", data, "--new-master-key", newKey, "--json"];
  const made = JSON.parse(await capture(init, folder, without)) as { default_application_id: string };
  const child = Bun.spawn([EXECUTABLE, "serve", "--data", data, "--port", "0"], {
    cwd: folder,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const url = await publicUrlFrom(child.stdout);
  const stop = async () => {
    child.kill("SIGTERM");
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, defaultApplicationId: made.default_application_id, command, stop };
}

/** Excludes the developer's own instance, and loosens limits because all programs sign in from one address. */
function environmentFor(keyFile: string): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("SALLYPORT_"));
  return {
    ...Object.fromEntries(inherited),
    SALLYPORT_MASTER_KEY_FILE: keyFile,
    SALLYPORT_LIMIT_SIGN_UP: "10000/1h",
    SALLYPORT_LIMIT_NETWORK: "10000/10m",
    SALLYPORT_LIMIT_ACCOUNT: "10000/10m",
    SALLYPORT_LIMIT_ACCOUNT_TOTAL: "10000/1h",
  };
}

/** Reads the log until the server is ready, and continues to read so that the pipe never fills. */
function publicUrlFrom(log: ReadableStream<Uint8Array>): Promise<string> {
  return new Promise((found, failed) => {
    const read = async () => {
      const seen: string[] = [];
      for await (const line of linesOf(log)) {
        const entry = line.startsWith("{") ? (JSON.parse(line) as { public_url?: string }) : {};
        if (entry.public_url !== undefined) found(entry.public_url);
        if (seen.length < 100) seen.push(line);
      }
      failed(new Error(`\`sallyport serve\` ended before it was ready:\n${seen.join("\n")}`));
    };
    read().catch(failed);
  });
}

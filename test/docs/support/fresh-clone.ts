import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { capture, ROOT } from "../../../scripts/lib/run.ts";

export interface FreshClone {
  /** Contains the clone and all files that the documents make outside it. */
  folder: string;
  /** Named `sallyport`, like the folder that `git clone` makes. */
  directory: string;
  /** The environment of a new user of this machine, except for npm's cached packages. */
  env: Record<string, string>;
}

/** Clones the last commit and applies the changes of the work tree. */
export async function makeFreshClone(): Promise<FreshClone> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-docs-"));
  const directory = join(folder, "sallyport");
  await git(["clone", "--quiet", ROOT, directory]);
  const changed = `${await git(["diff", "--name-only", "-z", "HEAD"])}${await git(["ls-files", "-o", "--exclude-standard", "-z"])}`;
  for (const path of changed.split("\0").filter(Boolean)) {
    rmSync(join(directory, path), { force: true });
    if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(directory, path));
  }
  return { folder, directory, env: await emptyEnvironment(folder) };
}

async function git(args: string[]): Promise<string> {
  const { code, output } = await capture(["git", "-c", "safe.directory=*", ...args]);
  if (code !== 0) throw new Error(`git ${args.join(" ")} failed: ${output}`);
  return output;
}

async function emptyEnvironment(folder: string): Promise<Record<string, string>> {
  const home = join(folder, "home");
  mkdirSync(home);
  const npm = async (setting: string) => (await capture(["npm", "config", "get", setting])).output.trim();
  return {
    // Without the programs of this repository, which a test run puts first.
    PATH: (process.env.PATH ?? "")
      .split(delimiter)
      .filter((entry) => !entry.startsWith(ROOT) && !entry.includes("node_modules"))
      .concat(dirname(process.execPath).startsWith(ROOT) ? [] : [dirname(process.execPath)])
      .join(delimiter),
    HOME: home,
    TMPDIR: folder,
    LANG: "C.UTF-8",
    npm_config_cache: await npm("cache"),
    npm_config_userconfig: await npm("userconfig"),
    npm_config_prefer_offline: "true",
    npm_config_update_notifier: "false",
  };
}

/** Maps the ports in the documents to free ports of this run, so that two runs do not collide. */
export async function freePorts<const Names extends readonly number[]>(names: Names): Promise<Map<number, number>> {
  const servers = await Promise.all(names.map(() => listening()));
  const ports = new Map(names.map((name, index) => [name, servers[index]?.port ?? name] as const));
  await Promise.all(servers.map(({ close }) => close()));
  return ports;
}

function listening(): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({ port, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}

import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const cache = fileURLToPath(new URL("../../node_modules/.cache/nodes", import.meta.url));
const pending = new Map<string, Promise<string>>();

/** Returns the executable of a version of Node, which npm's package of the same version holds. @throws Error without npm's registry */
export function nodeOf(version: string): Promise<string> {
  const known = pending.get(version) ?? install(version);
  pending.set(version, known);
  return known;
}

async function install(version: string): Promise<string> {
  const folder = join(cache, version);
  const name = `node-${process.platform}-${process.arch}`;
  const executable = join(folder, "node_modules", name, "bin/node");
  if (existsSync(executable)) return executable;
  // In a folder of its own first, because another test may be installing the same version.
  const scratch = `${folder}-${process.pid}`;
  await mkdir(scratch, { recursive: true });
  await Bun.write(join(scratch, "package.json"), "{}");
  const command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", `${name}@${version}`];
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd: scratch, stdin: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`Node ${version} cannot be installed:\n${stderr.toString()}`);
  await rename(scratch, folder).catch(() => rm(scratch, { recursive: true }));
  return executable;
}

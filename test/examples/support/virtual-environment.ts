import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { succeed } from "./commands.ts";

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sallyport-examples");

/** Creates it once for each state of the requirements, outside the repository. If two runs do so at once, the first stays. */
export async function virtualEnvironment(requirements: string): Promise<string> {
  const digest = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex")
    .slice(0, 16);
  const folder = join(CACHE, `python-${digest}`);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, "draft-"));
  try {
    await succeed(["python3", "-m", "venv", draft], CACHE);
    const pip = [join(draft, "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet"];
    await succeed([...pip, "install", "--requirement", requirements], CACHE);
    if (!existsSync(folder)) await rename(draft, folder);
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

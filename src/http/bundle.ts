/**
 * Bundles a script. For `with { type: "macro" }` only: it runs while the importing module is translated, and its result
 * replaces the call. So the executable contains the finished script, and needs neither the sources nor their packages.
 * @param entry relative to this folder
 * @throws Error with the messages of the build
 */
export function bundled(entry: string): string {
  const options = ["--target=browser", "--production", "--minify", '--define=process.env.NODE_ENV="production"'];
  const command = [process.execPath, "build", entry, ...options];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: import.meta.dir });
  if (exitCode !== 0) throw new Error(`${entry} does not build:\n${stderr.toString()}`);
  return stdout.toString();
}

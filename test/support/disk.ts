import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "./cli.ts";

/** Whether this process may mount a small file system. */
export const MAY_MOUNT: boolean = (() => {
  const directory = scratch();
  const [mounting, unmounting] = [
    ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", directory],
    ["umount", directory],
  ];
  return [mounting, unmounting].every((command) => Bun.which(command[0] ?? "") && Bun.spawnSync(command).success);
})();

/** A disk in memory. */
export interface Disk {
  path: string;
  /** Takes all the remaining space. */
  fill(): void;
  /** Frees that space again. */
  free(): void;
  readOnly(): void;
  /** Lets no program run from this disk. */
  noExecution(): void;
  unmount(): void;
}

/**
 * Mounts a disk.
 * @param megabytes its size
 * @throws Error if it cannot be mounted; see {@link MAY_MOUNT}
 */
export function mountDisk(megabytes: number): Disk {
  const path = scratch();
  mount(["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0700`, "tmpfs", path]);
  const filler = join(path, "filler");
  return {
    path,
    fill: () => {
      const descriptor = openSync(filler, "a");
      try {
        for (const size of [65_536, 4_096]) while (wrote(descriptor, Buffer.alloc(size)));
      } finally {
        closeSync(descriptor);
      }
    },
    free: () => rmSync(filler),
    readOnly: () => mount(["-o", "remount,ro", path]),
    noExecution: () => mount(["-o", "remount,noexec", path]),
    // Lazily, because a child of a failed test may hold files there for a moment.
    unmount: () => void Bun.spawnSync(["umount", "-l", path]),
  };
}

function mount(args: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync(["mount", ...args]);
  if (!success) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

function wrote(descriptor: number, bytes: Buffer): boolean {
  try {
    return writeSync(descriptor, bytes) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

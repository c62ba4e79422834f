import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { scratch } from "./cli.ts";

/** Whether this process may mount a small file system of its own. */
export const MAY_MOUNT: boolean = (() => {
  const directory = scratch();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", directory]).status !== 0) return false;
  return spawnSync("umount", [directory]).status === 0;
})();

/** A disk of its own, in memory. */
export interface Disk {
  path: string;
  /** Takes all the space that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  readOnly(): void;
  unmount(): void;
}

/** @param megabytes its size @throws Error when it cannot be mounted: see {@link MAY_MOUNT} */
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
    // Lazily: a child that a failed test has left holds files there for a moment longer.
    unmount: () => void spawnSync("umount", ["-l", path]),
  };
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", [...args]);
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

function wrote(descriptor: number, bytes: Buffer): boolean {
  try {
    return writeSync(descriptor, bytes) > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return false;
    throw error;
  }
}

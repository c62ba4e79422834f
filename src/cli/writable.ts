import { dlopen } from "bun:ffi";
import { fstatSync } from "node:fs";

/** POLLOUT of poll(2), the same number on Linux and macOS. */
const POLLOUT = 4;

/** Tells whether a small write would return at once. Waits up to `milliseconds` for that. */
export type Writable = (milliseconds: number) => boolean;

/**
 * Asks poll(2) about a pipe, a socket or a terminal, whose reader may stop reading. O_NONBLOCK would not do: it is a property of
 * the open file, so the shell and every other program that writes to the same pipe would get it as well.
 *
 * A write to a file waits for the disk only, and Windows has no poll(2). There the answer is always yes.
 */
export function writableOf(fd: number): Writable {
  const poll = isPlainFile(fd) ? null : loadPoll();
  if (poll === null) return () => true;
  // struct pollfd: int fd, short events, short revents.
  const question = new Int32Array(2);
  return (milliseconds) => {
    question[0] = fd;
    question[1] = POLLOUT;
    return poll(question, 1, milliseconds) !== 0;
  };
}

function isPlainFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return true;
  }
}

type Poll = (question: Int32Array, count: number, milliseconds: number) => number;

function loadPoll(): Poll | null {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  const names: Partial<Record<NodeJS.Platform, string[]>> = {
    linux: ["libc.so.6", `libc.musl-${arch}.so.1`],
    darwin: ["libSystem.B.dylib"],
  };
  for (const name of names[process.platform] ?? []) {
    try {
      return dlopen(name, { poll: { args: ["ptr", "u64", "i32"], returns: "i32" } }).symbols.poll as Poll;
    } catch {
      // Another C library.
    }
  }
  return null;
}

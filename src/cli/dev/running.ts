import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { SECOND } from "../../core/clock.ts";
import { CommandError } from "../command.ts";
import { shortPath } from "./find-data.ts";

interface Running {
  pid: number;
  url: string;
}

const fileFor = (dataDirectory: string) => `${dataDirectory}.running.json`;

/**
 * Refuses a second start. Two processes could share the data, but the developer most likely forgot the first one.
 * @throws CommandError while another process serves this data
 */
export async function refuseSecondStart(dataDirectory: string): Promise<void> {
  const running = readRunning(dataDirectory);
  if (running === null || !isAlive(running.pid) || !(await answers(running.url))) return;
  throw new CommandError(
    `\`dev\` runs on ${shortPath(dataDirectory)} already. Use it at ${running.url}, or stop it first: kill ${running.pid}`,
  );
}

/** @returns a function that removes the mark; after a crash, the mark names a process that has ended */
export function markRunning(dataDirectory: string, url: string): () => void {
  const file = fileFor(dataDirectory);
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, url } satisfies Running), { mode: 0o600, flag: "wx" });
  return () => rmSync(file, { force: true });
}

function readRunning(dataDirectory: string): Running | null {
  try {
    const { pid, url } = JSON.parse(readFileSync(fileFor(dataDirectory), "utf8")) as Partial<Running>;
    return Number.isInteger(pid) && typeof url === "string" ? { pid: Number(pid), url } : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Asks the process, because the system reuses process ids: only a process that answers is the marked one. */
async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2 * SECOND) })).ok;
  } catch {
    return false;
  }
}

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemClock, toWireTime } from "../core/clock.ts";
import * as z from "../core/zod.ts";
import { lockFile } from "../storage/file-lock.ts";
import { CommandError } from "./command.ts";
import { requireWritable } from "./data-directory.ts";
import { shortPath } from "./dev/find-data.ts";

/** The text beside the lock, which tells a second process about the first one. */
const holderSchema = z.object({
  command: z.enum(["serve", "dev"]),
  pid: z.number().int(),
  host: z.string(),
  since: z.string(),
  /** null until the server listens. */
  url: z.string().nullable(),
});
type Holder = z.infer<typeof holderSchema>;

/** The right of one server to a data directory. Other commands run beside it, because they need no lock. */
export interface Serving {
  /** Tells later processes the server's address. */
  listensAt(url: string): void;
  release(): void;
}

/**
 * Locks a data directory for a server. Two servers on one file would send mails and events twice, and neither would see the
 * other's changes in time.
 * @throws CommandError that names the process that holds the lock
 */
export function startServing(dataDirectory: string, command: Holder["command"]): Serving {
  requireWritable(dataDirectory);
  const unlock = lockFile(join(dataDirectory, "serving.lock"));
  if (unlock === null) throw new CommandError(refusal(dataDirectory));
  const file = holderFile(dataDirectory);
  const holder = { command, pid: process.pid, host: hostname(), since: toWireTime(systemClock.now()) };
  const tell = (url: string | null) => {
    try {
      writeFileSync(file, JSON.stringify({ ...holder, url } satisfies Holder), { mode: 0o600 });
    } catch {
      // A full disk must not keep the server from starting. The lock holds without the text.
    }
  };
  tell(null);
  return {
    listensAt: tell,
    release: () => {
      rmSync(file, { force: true });
      unlock();
    },
  };
}

function holderFile(dataDirectory: string): string {
  return join(dataDirectory, "serving.json");
}

function refusal(dataDirectory: string): string {
  const holder = readHolder(holderFile(dataDirectory));
  const place = shortPath(dataDirectory);
  if (holder === null)
    return `Another server runs on ${place} already. Stop it first, or name another directory with --data.`;
  const { command, pid, host, since, url } = holder;
  const use = url === null ? "Wait until it listens" : `Use it at ${url}`;
  const stop = host === hostname() ? `stop it first: kill ${pid}` : `stop it first: process ${pid} on host ${host}`;
  return `\`${command}\` runs on ${place} already, since ${since}. ${use}, or ${stop}`;
}

function readHolder(file: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

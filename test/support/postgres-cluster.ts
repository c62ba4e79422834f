import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import { freePort, postgresPrograms, unprivileged } from "./postgres.ts";

/** A primary and a streaming standby, which may be promoted once. */
export interface Cluster {
  /** Ports on 127.0.0.1. */
  readonly primary: number;
  readonly standby: number;
  /** Returns the address of the servers' database with these ports. */
  urlOf(ports: readonly number[]): string;
  /** Waits until the standby has every row. */
  settled(): Promise<void>;
  stopPrimary(): Promise<void>;
  promote(): Promise<void>;
  /** Makes new transactions of the promoted server read-only, or writable again. */
  setReadOnly(isReadOnly: boolean): Promise<void>;
  stop(): void;
}

export async function startCluster(): Promise<Cluster> {
  if (!postgresPrograms) throw new Error("PostgreSQL is not installed here.");
  const programs = postgresPrograms;
  const directory = mkdtempSync(join(tmpdir(), "sallyport-cluster-"));
  const lower = unprivileged(directory);
  const run = (program: string, ...args: string[]) => {
    const [first = "", ...rest] = [...lower, join(programs, program), ...args];
    const { status, stderr } = spawnSync(first, rest, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    if (status !== 0) throw new Error(`${program} ${args[0]} ended with ${status}: ${stderr}`);
  };
  const [primary, standby] = [await freePort(), await freePort()];
  const place = (name: string) => join(directory, name);
  const start = (name: string, port: number) => {
    const settings = `-c port=${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${directory} -c fsync=off`;
    run("pg_ctl", "start", "-w", "-D", place(name), "-l", place(`${name}.log`), "-o", settings);
  };
  const urlOf = (ports: readonly number[]) =>
    `postgres://postgres@${ports.map((port) => `127.0.0.1:${port}`).join(",")}/postgres`;
  const ask = async (port: number, statement: string) => {
    const client = new SQL({ url: urlOf([port]), max: 1 });
    try {
      return (await client.unsafe(statement)) as Record<string, unknown>[];
    } finally {
      await client.end({ timeout: 0 });
    }
  };
  run("initdb", "-D", place("primary"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync");
  start("primary", primary);
  run("pg_basebackup", "-R", "-D", place("standby"), "-d", urlOf([primary]), "--no-sync", "--checkpoint=fast");
  start("standby", standby);
  return {
    primary,
    standby,
    urlOf,
    settled: async () => {
      const [row] = await ask(primary, "SELECT pg_current_wal_lsn()::text AS lsn");
      for (;;) {
        const [at] = await ask(standby, `SELECT pg_last_wal_replay_lsn() >= '${row?.lsn}'::pg_lsn AS done`);
        if (at?.done === true) return;
        await Bun.sleep(20);
      }
    },
    stopPrimary: async () => run("pg_ctl", "stop", "-m", "fast", "-D", place("primary")),
    promote: async () => run("pg_ctl", "promote", "-w", "-D", place("standby")),
    setReadOnly: async (isReadOnly) => {
      const client = new SQL({ url: urlOf([standby]), max: 1 });
      await client.unsafe("SET default_transaction_read_only = off");
      await client.unsafe(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? "on" : "off"}`);
      await client.unsafe("SELECT pg_reload_conf()");
      await client.end({ timeout: 0 });
      await Bun.sleep(100);
    },
    stop: () => {
      for (const name of ["primary", "standby"]) {
        try {
          run("pg_ctl", "stop", "-m", "immediate", "-D", place(name));
        } catch {
          // It has been stopped already.
        }
      }
      spawnSync("rm", ["-rf", "--", directory]);
    },
  };
}

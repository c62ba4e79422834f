import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL, type Subprocess, spawn, spawnSync } from "bun";

/** A private PostgreSQL server. */
export interface TestPostgres {
  /** The superuser's address of the server's own database. */
  readonly url: string;
  /**
   * Makes a new, empty database and returns its address. `template` names a database to copy, which must have no
   * connections.
   */
  createDatabase(template?: string): Promise<string>;
  /**
   * Makes a database of this name unless it exists.
   * @returns whether it made the database
   */
  ensureDatabase(name: string): Promise<boolean>;
  /** Returns the address of a database of this name. */
  urlOf(name: string): string;
  /** Runs statements as the superuser in the server's own database. */
  readonly admin: SQL;
  stop(): Promise<void>;
}

export interface TestPostgresOptions {
  /** Off by default. Tests of faults switch it on. */
  fsync?: boolean;
}

/** Whether this run tests PostgreSQL. `npm test` leaves it out; a bare `bun test` and `npm run test:all` do not. */
export const testsPostgres: boolean = process.env.SALLYPORT_TEST_DATABASES !== "sqlite";

/** The folder of the server's programs, or null. Without PostgreSQL, CI fails, and other runs skip these tests. */
export const postgresPrograms: string | null = findPrograms();
if (testsPostgres && !postgresPrograms && !process.env.SALLYPORT_TEST_POSTGRES_URL && process.env.CI) {
  throw new Error(
    "CI must test PostgreSQL: install the server (Debian: postgresql) or set SALLYPORT_TEST_POSTGRES_URL.",
  );
}

/** Whether tests of PostgreSQL can run here. */
export const hasPostgres: boolean = postgresPrograms !== null || Boolean(process.env.SALLYPORT_TEST_POSTGRES_URL);

let shared: Promise<TestPostgres> | undefined;

/**
 * Returns the one server of this test process. `SALLYPORT_TEST_POSTGRES_URL` names a server that the whole run shares.
 */
export function startPostgres(): Promise<TestPostgres> {
  const url = process.env.SALLYPORT_TEST_POSTGRES_URL;
  shared ??= url ? Promise.resolve(serverAt(url, async () => undefined)) : startPrivatePostgres();
  return shared;
}

/** Starts a server that a test may stop and break. It ends with this process, however this process ends. */
export async function startPrivatePostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  if (!postgresPrograms) throw new Error("PostgreSQL is not installed here.");
  const directory = mkdtempSync(join(tmpdir(), "sallyport-pg-"));
  const lower = unprivileged(directory);
  const data = join(directory, "data");
  const initdb = spawnSync(
    [
      ...lower,
      join(postgresPrograms, "initdb"),
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--no-sync",
    ],
    { stdout: "pipe", stderr: "pipe", cwd: directory },
  );
  if (!initdb.success) throw new Error(`initdb failed: ${initdb.stderr.toString()}`);
  const port = await freePort();
  const flush = options.fsync ? "on" : "off";
  const settings = [
    `port=${port}`,
    `fsync=${flush}`,
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${directory}`,
  ];
  settings.push("max_connections=100", "full_page_writes=off", "shared_buffers=32MB");
  const server = spawn(
    [...lower, join(postgresPrograms, "postgres"), "-D", data, ...settings.flatMap((setting) => ["-c", setting])],
    { stdout: "ignore", stderr: "ignore", cwd: directory },
  );
  const janitor = startJanitor(server.pid, directory);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await untilReady(url, server);
  return serverAt(url, async () => {
    janitor.stdin.end();
    await janitor.exited;
  });
}

/**
 * Starts a process that waits for the end of its input, then stops the server and removes its files. The input ends
 * with this process in any case, but `bun test` runs no exit handlers, and neither does a killed process.
 */
export function startJanitor(pid: number, directory: string): Subprocess<"pipe", "ignore", "ignore"> {
  const script =
    'read -r _; kill -QUIT "$1"; for i in $(seq 100); do kill -0 "$1" || break; sleep 0.05; done; rm -rf -- "$2"';
  return spawn(["sh", "-c", script, "janitor", String(pid), directory], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
    cwd: "/",
  });
}

function serverAt(url: string, stop: () => Promise<void>): TestPostgres {
  const admin = new SQL({ url, max: 2 });
  const urlOf = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  return {
    url,
    admin,
    urlOf,
    createDatabase: async (template = "template0") => {
      const name = `test_${randomBytes(8).toString("hex")}`;
      await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      return urlOf(name);
    },
    ensureDatabase: async (name) => {
      const found = await admin.unsafe("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
      if (found.length > 0) return false;
      await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`);
      return true;
    },
    stop: async () => {
      await admin.end({ timeout: 0 });
      await stop();
    },
  };
}

function findPrograms(): string | null {
  const candidates: string[] = [];
  const configured = spawnSync(["sh", "-c", "pg_config --bindir"], { stdout: "pipe", stderr: "ignore" });
  if (configured.success) candidates.push(configured.stdout.toString().trim());
  const debian = "/usr/lib/postgresql";
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a));
    candidates.push(...versions.map((version) => join(debian, version, "bin")));
  }
  candidates.push(...(process.env.PATH ?? "").split(":"));
  return candidates.find((path) => existsSync(join(path, "initdb")) && existsSync(join(path, "postgres"))) ?? null;
}

/**
 * Returns the command that drops root, because PostgreSQL refuses to run as root, and gives that user the directory.
 */
export function unprivileged(directory: string): string[] {
  if (process.getuid?.() !== 0) return [];
  const id = (flag: string) => Number(spawnSync(["id", flag, "nobody"]).stdout.toString());
  const [user, group] = [id("-u"), id("-g")];
  chownSync(directory, user, group);
  return ["setpriv", `--reuid=${user}`, `--regid=${group}`, "--clear-groups"];
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

async function untilReady(url: string, server: Subprocess): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode} before it was ready`);
    const client = new SQL({ url, max: 1, connectionTimeout: 2 });
    const ready = await client.unsafe("SELECT 1").then(
      () => true,
      () => false,
    );
    await client.end({ timeout: 0 });
    if (ready) return;
    await Bun.sleep(25);
  }
}

import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL, spawn } from "bun";
import { freePort, startJanitor, unprivileged } from "./postgres.ts";
import { testIf } from "./report.ts";

// Debian keeps it where the search path of a plain user does not look.
const program = Bun.which("pgbouncer") ?? (existsSync("/usr/sbin/pgbouncer") ? "/usr/sbin/pgbouncer" : undefined);

/** A test that needs pgbouncer (Debian: pgbouncer). */
export const bouncerTest = testIf(program !== undefined, "needs pgbouncer");

/**
 * Starts pgbouncer in transaction mode before a server, with fewer connections than callers.
 * @param more lines of its configuration
 * @returns the address of the database behind it, and a function that stops it
 */
export async function startBouncer(url: string, more = ""): Promise<{ url: string; stop: () => void }> {
  if (program === undefined) throw new Error("pgbouncer is not installed here.");
  const { hostname, port: behind, pathname } = new URL(url);
  const directory = mkdtempSync(join(tmpdir(), "sallyport-bouncer-"));
  const port = await freePort();
  const lines = [
    "[databases]",
    `* = host=${hostname} port=${behind} user=postgres`,
    "[pgbouncer]",
    `listen_addr=127.0.0.1\nlisten_port=${port}\nunix_socket_dir=`,
    "auth_type=any\npool_mode=transaction\ndefault_pool_size=3\nmax_client_conn=200",
    more,
  ];
  const file = join(directory, "pgbouncer.ini");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const lower = unprivileged(directory);
  const child = spawn([...lower, program, file], { stdout: "ignore", stderr: "ignore", cwd: "/" });
  const janitor = startJanitor(child.pid, directory);
  const address = `postgres://postgres@127.0.0.1:${port}${pathname}`;
  for (let tries = 0; ; tries++) {
    const client = new SQL({ url: address, max: 1, connectionTimeout: 2, prepare: false });
    const isReady = await client.unsafe("SELECT 1").then(
      () => true,
      () => false,
    );
    await client.end({ timeout: 0 });
    if (isReady) break;
    if (child.exitCode !== null || tries > 200) throw new Error("pgbouncer did not start");
    await Bun.sleep(25);
  }
  return { url: address, stop: () => void janitor.stdin.end() };
}

import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { settings } from "../../src/app.ts";
import { loadSettings } from "../../src/core/config.ts";
import { scratch, start, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

/** Makes one request and returns the milliseconds until the server closes the idle connection; null after `patience`. */
function idleUntilClosed(port: number, path: string, patience: number): Promise<number | null> {
  const started = Date.now();
  const closed = new Promise<number>((resolve, reject) => {
    void Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`),
        data: () => {},
        close: () => resolve(Date.now() - started),
        connectError: (_socket, error) => reject(error),
      },
    });
  });
  return Promise.race([closed, Bun.sleep(patience).then(() => null)]);
}

async function freePort(): Promise<number> {
  const probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = probe;
  await probe.stop(true);
  return port;
}

test("an idle connection outlives those of most proxies, which keep them for 60 s", () => {
  expect(loadSettings(settings, { env: {}, flags: {} }).idle_timeout).toBe(75);
  expect(() => loadSettings(settings, { env: {}, flags: { idle_timeout: "256" } })).toThrow("from 1 to 255");
});

test("the setting decides how long an idle connection lives, on the main port and on that of the metrics", async () => {
  const [short, long] = await Promise.all(
    ["2", "60"].map(async (seconds) => {
      const metrics = await freePort();
      const args = ["--port", "0", "--metrics-port", String(metrics), "--idle-timeout", seconds];
      const { url } = await start(["dev", "--ephemeral", "--json", ...args], { cwd: scratch() });
      const main = Number(new URL(url).port);
      // Bun alone would close a connection after 10 s.
      return Promise.all([idleUntilClosed(main, "/healthz", 14_000), idleUntilClosed(metrics, "/metrics", 14_000)]);
    }),
  );
  for (const lived of short ?? []) expect(lived).toBeLessThan(13_000);
  expect(short).not.toContain(null);
  expect(long).toEqual([null, null]);
});

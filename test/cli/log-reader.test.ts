import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { prepare, SOURCE, tidy } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";

const METRICS_TOKEN = "a token of thirty-two characters";

setDefaultTimeout(60_000);
const children: Bun.Subprocess[] = [];
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await tidy();
});

/** A server whose standard output is a pipe that nobody reads. */
async function startUnread() {
  const made = await prepare();
  const pipe = join(made.directory, "log");
  expect(Bun.spawnSync(["mkfifo", pipe]).success).toBe(true);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(pipe, constants.O_WRONLY);
  const child = Bun.spawn([...SOURCE, "serve", "--port", "0"], {
    env: { ...process.env, ...made.env, SALLYPORT_LOG_LEVEL: "debug", SALLYPORT_METRICS_TOKEN: METRICS_TOKEN },
    stdin: "ignore",
    stdout: writer,
    stderr: "inherit",
  });
  children.push(child);
  closeSync(writer);
  const url = await eventually(async () => {
    const holder = JSON.parse(readFileSync(join(made.data, "serving.json"), "utf8")) as { url: string | null };
    if (holder.url === null) throw new Error("The server does not listen yet.");
    return holder.url;
  });
  return { child, url, reader };
}

/** Sends requests with long paths until the server has written more than `bytes` of log. */
async function fillLog(url: string, bytes: number): Promise<void> {
  const path = `/${"x".repeat(4_000)}`;
  for (let sent = 0; sent < bytes; sent += 20 * path.length) {
    const batch = Array.from({ length: 20 }, () => fetch(url + path, { signal: AbortSignal.timeout(10_000) }));
    for (const answer of await Promise.all(batch)) expect(answer.status).toBe(404);
  }
}

function readAll(reader: number): string {
  const chunk = Buffer.alloc(65_536);
  let text = "";
  try {
    for (let size = readSync(reader, chunk); size > 0; size = readSync(reader, chunk)) {
      text += chunk.toString("utf8", 0, size);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  }
  return text;
}

async function droppedSoFar(url: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } });
  return Number(/^sallyport_log_lines_dropped_total (\d+)$/m.exec(await answer.text())?.[1]);
}

test("a log reader that has stopped does not stop the server, and learns how many lines it missed", async () => {
  const { child, url, reader } = await startUnread();
  await fillLog(url, 1_500_000);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await droppedSoFar(url)).toBeGreaterThan(10);
  let seen = "";
  await eventually(async () => {
    seen += readAll(reader);
    expect(seen).toContain("lines were dropped");
  });
  const lines = seen.split("\n").slice(0, -1);
  for (const line of lines) JSON.parse(line);
  child.kill("SIGTERM");
  await eventually(async () => {
    seen += readAll(reader);
    expect(seen).toContain('"Stopped."');
  });
  expect(await child.exited).toBe(0);
  closeSync(reader);
});

test("a server stops within a second or two although nobody reads its log", async () => {
  const { child, url, reader } = await startUnread();
  await fillLog(url, 200_000);
  const started = performance.now();
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(performance.now() - started).toBeWithin(900, 5_000);
  closeSync(reader);
});

test("a log reader that has gone does not end the server", async () => {
  const { child, url, reader } = await startUnread();
  closeSync(reader);
  await fillLog(url, 200_000);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect(await droppedSoFar(url)).toBeGreaterThan(10);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});

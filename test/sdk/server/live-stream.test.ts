import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/core/clock.ts";
import { insertRevocation } from "../../../src/identity/revocations/store.ts";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import { openStorage } from "../../../src/storage/open.ts";
import { launch, type Started, signOut, signUp, until } from "../support/appliance.ts";
import { outcome } from "../support/refusal.ts";

/** The stream of revocations between the live appliance and a verifier in another process. */
let directory: string;
let data: string;
let appliance: Awaited<ReturnType<typeof launch>>;
let started: Started;
let people = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sallyport-stream-"));
  data = join(directory, "data");
  appliance = await launch(["--data", data, "--port", "0"]);
  started = appliance.started;
}, 60_000);

afterAll(async () => {
  await appliance.stop();
  await rm(directory, { recursive: true, force: true });
});

async function restart() {
  appliance = await launch(["--data", data, "--port", new URL(started.url).port]);
}

/** Revokes from another process than the appliance. @param life milliseconds */
async function revokeElsewhere(ids: string[], life: number) {
  const storage = await openStorage({ kind: "sqlite", file: join(data, "sallyport.db") });
  const now = systemClock.now();
  const times = { issuedBefore: now + 1_000, expiresAt: now + life };
  await storage.write(async (tx) => {
    for (const id of ids) await insertRevocation(tx, now, { tenantId: started.tenant_id, kind: "jti", id, ...times });
  });
  await storage.close();
}

const newToken = () => signUp(started, `person-${people++}@example.com`);

/** A verifier that the stream keeps up to date, and the number of its polls. */
async function open(token: string) {
  const polls: string[] = [];
  const server = new SallyportServer({
    baseUrl: started.url,
    applicationId: started.default_application_id,
    fetch: (url, init) => {
      if (/\/v1\/revocations(\?|$)/.test(url)) polls.push(url);
      return fetch(url, init);
    },
  });
  expect(await outcome(server.verifyToken(token))).toBe("accepted");
  await until(() => server.isStreaming());
  return { server, polls };
}

const isRefused = async (server: SallyportServer, token: string) =>
  (await outcome(server.verifyToken(token))) === "token_revoked/revoked";

describe("the stream", () => {
  test("brings a sign-out to the verifier without a poll", async () => {
    const token = await newToken();
    const bystander = await newToken();
    const { server, polls } = await open(token);
    const before = polls.length;
    await signOut(started, token);
    await until(() => isRefused(server, token));
    expect(polls.length).toBe(before);
    expect(await outcome(server.verifyToken(bystander))).toBe("accepted");
    server.close();
  });

  test("brings the revocations that another process wrote", async () => {
    const token = await newToken();
    const { server, polls } = await open(token);
    const before = polls.length;
    const claims = await server.verifyToken(token);
    await revokeElsewhere([String(claims.jti)], 1_000_000);
    await until(() => isRefused(server, token));
    expect(polls.length).toBe(before);
    server.close();
  });

  test("outlives the appliance: tokens verify meanwhile, the stream resumes, and a new verifier knows it all", async () => {
    const [gone, kept, later] = [await newToken(), await newToken(), await newToken()];
    const { server, polls } = await open(kept);
    await signOut(started, gone);
    await until(() => isRefused(server, gone));
    await appliance.stop();
    await until(() => !server.isStreaming());
    expect(await outcome(server.verifyToken(kept))).toBe("accepted");
    expect(await isRefused(server, gone)).toBe(true);
    await restart();
    await until(() => server.isStreaming());
    const before = polls.length;
    await signOut(started, later);
    await until(() => isRefused(server, later));
    expect(polls.length).toBe(before);
    server.close();
    const successor = await open(kept);
    expect(await isRefused(successor.server, gone)).toBe(true);
    expect(await isRefused(successor.server, later)).toBe(true);
    successor.server.close();
  }, 60_000);

  test("ends with close, and the poll works without it", async () => {
    const token = await newToken();
    const { server } = await open(token);
    server.close();
    await until(() => !server.isStreaming());
    const polling = new SallyportServer({
      baseUrl: started.url,
      applicationId: started.default_application_id,
      revocations: "poll",
    });
    expect(await outcome(polling.verifyToken(token))).toBe("accepted");
    expect(polling.isStreaming()).toBe(false);
    polling.close();
  });

  test("does not keep the appliance from stopping, read or unread", async () => {
    const { server } = await open(await newToken());
    // More than the kernel buffers, so that some of it stays unread in the appliance.
    await revokeElsewhere(
      Array.from({ length: 40_000 }, () => crypto.randomUUID()),
      30_000,
    );
    const { host, port } = new URL(started.url);
    const unread = connect(Number(port), "localhost");
    unread.on("error", () => undefined);
    unread.pause();
    unread.write(`GET /v1/revocations/stream HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await until(async () => (await openStreams(host)) >= 2);
    await Bun.sleep(500);
    // Stopping waits at most fifteen seconds for open requests, and then logs a warning. It must not take that long.
    const ended = await Promise.race([appliance.stop().then(() => "ended"), Bun.sleep(12_000).then(() => "hangs")]);
    expect(ended).toBe("ended");
    server.close();
    unread.destroy();
    await restart();
  }, 60_000);
});

/** Counts this network's open streams by those that it may still open: 20 in all. */
async function openStreams(host: string): Promise<number> {
  const held: { controller: AbortController; answer: Response }[] = [];
  for (;;) {
    const controller = new AbortController();
    const answer = await fetch(`http://${host}/v1/revocations/stream`, { signal: controller.signal });
    held.push({ controller, answer });
    if (answer.status !== 200) break;
  }
  for (const { controller } of held) controller.abort();
  return 20 - (held.length - 1);
}

describe("the address", () => {
  const stream = (path: string, init: RequestInit = {}) => fetch(`${started.url}${path}`, init);

  test("resumes after the cursor, and Last-Event-ID wins over it", async () => {
    const tokens = [await newToken(), await newToken()];
    for (const token of tokens) await signOut(started, token);
    const all = await firstEvents(await stream("/v1/revocations/stream"));
    expect(all.length).toBeGreaterThan(1);
    const last = all.at(-1) ?? "";
    const previous = all.at(-2) ?? "";
    expect(await firstEvents(await stream(`/v1/revocations/stream?cursor=${previous}`))).toEqual([last]);
    expect(await firstEvents(await stream(`/t/default/v1/revocations/stream?cursor=${previous}`))).toEqual([last]);
    const headers = { "last-event-id": last };
    expect(await firstEvents(await stream("/v1/revocations/stream?cursor=0", { headers }))).toEqual([]);
  });

  test.each([
    ["/v1/revocations/stream?cursor=-1", 400],
    ["/v1/revocations/stream?cursor=1e3", 400],
    ["/v1/revocations/stream?cursor=999999999", 400],
    ["/v1/revocations?cursor=999999999", 400],
    ["/t/nobody/v1/revocations/stream", 404],
  ])("%s is %d", async (path, status) => {
    expect((await stream(path)).status).toBe(status);
  });

  test("any page may read it, no cache keeps it, and HEAD holds no stream open", async () => {
    for (let time = 0; time < 30; time++) {
      const answer = await stream("/v1/revocations/stream", { method: "HEAD" });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("cache-control")).toBe("no-store, no-transform");
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("content-type")).toBe("text/event-stream");
    }
  });

  test("opens twenty times per network, and again when one has ended", async () => {
    // Keeps the answers too: an unreferenced answer may be collected, and its stream closed with it.
    const held: { controller: AbortController; answer: Response }[] = [];
    const tryOne = async () => {
      const controller = new AbortController();
      const answer = await stream("/v1/revocations/stream", { signal: controller.signal });
      if (answer.status === 200) held.push({ controller, answer });
      return answer;
    };
    for (;;) {
      const answer = await tryOne();
      if (answer.status === 200) continue;
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({ error: { code: "rate_limited", type: "rate_limit_error" } });
      break;
    }
    expect(held.length).toBeLessThanOrEqual(20);
    held.pop()?.controller.abort();
    await until(async () => (await tryOne()).status === 200);
    for (const { controller } of held) controller.abort();
  });
});

/** Reads the ids up to the first comment line, which says that nothing is missing. */
async function firstEvents(answer: Response): Promise<string[]> {
  const reader = (answer.body ?? new ReadableStream<Uint8Array>()).getReader();
  let text = "";
  while (!/^:/m.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended: ${text}`);
    text += new TextDecoder().decode(value);
  }
  await reader.cancel();
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id = ""]) => id);
}

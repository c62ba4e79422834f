import { describe, expect, test } from "bun:test";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import { until } from "../support/appliance.ts";
import { APPLICATION, digest, errorResponse, newKey, TestIssuer } from "../support/issuer.ts";
import { outcome } from "../support/refusal.ts";

/** The verifier's side of the stream, against an appliance with every fault. */
const STREAM = "/v1/revocations/stream";
type Send = (text: string) => void;

function events(begin: (send: Send, end: () => void) => void, headers: Record<string, string> = {}): Response {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) =>
      begin(
        (text) => controller.enqueue(new TextEncoder().encode(text)),
        () => controller.close(),
      ),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", ...headers } });
}

async function setUp(answer: (url: URL, attempt: number) => Response) {
  const issuer = new TestIssuer();
  const key = await newKey("EdDSA");
  issuer.keys = [key];
  const cursors: (string | null)[] = [];
  issuer.override = (request, url) => {
    if (url.pathname !== STREAM) return undefined;
    cursors.push(url.searchParams.get("cursor") ?? request.headers.get("last-event-id"));
    return answer(url, cursors.length);
  };
  const server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, now: issuer.now });
  const token = await issuer.token(key, { sid: "s" });
  const close = async () => {
    server.close();
    await issuer[Symbol.asyncDispose]();
  };
  return { issuer, key, server, token, cursors, close };
}

const revocation = (issuer: TestIssuer, id: string, cursor: string) => {
  const entry = {
    kind: "sid",
    digest: digest(id),
    issued_before: issuer.seconds + 1,
    expires_at: issuer.seconds + 900,
  };
  return `id: ${cursor}\nevent: revocation\ndata: ${JSON.stringify(entry)}\n\n`;
};

describe("the verifier's stream", () => {
  test("continues from the poll's cursor, and after a break from the last event", async () => {
    const live: { send?: Send; end?: () => void } = {};
    const { issuer, server, token, cursors, close } = await setUp(() =>
      events((send, end) => {
        Object.assign(live, { send, end });
        send(": in step\n\n");
      }),
    );
    issuer.revoke("sid", "another");
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    await until(() => server.isStreaming());
    expect(cursors).toEqual(["1"]);
    live.send?.(revocation(issuer, "s", "41"));
    await until(async () => (await outcome(server.verifyToken(token))) === "token_revoked/revoked");
    live.end?.();
    await until(() => cursors.length === 2);
    expect(cursors).toEqual(["1", "41"]);
    await close();
  });

  test("is not up to date before the first comment, so the poll goes on", async () => {
    const { issuer, server, token, cursors, close } = await setUp(() => events((send) => send("retry: 2000\n\n")));
    await server.verifyToken(token);
    await until(() => cursors.length === 1);
    issuer.time += 30_000;
    const before = issuer.count("/v1/revocations");
    await server.verifyToken(token);
    await until(() => issuer.count("/v1/revocations") === before + 1);
    expect(server.isStreaming()).toBe(false);
    await close();
  });

  test("replaces the polls while it speaks; after a silence they resume", async () => {
    const { issuer, server, token, close } = await setUp(() => events((send) => send(":\n\n")));
    await server.verifyToken(token);
    await until(() => server.isStreaming());
    const before = issuer.count("/v1/revocations");
    issuer.time += 30_000;
    await server.verifyToken(token);
    await Bun.sleep(20);
    expect(issuer.count("/v1/revocations")).toBe(before);
    issuer.time += 31_000; // The container was frozen: the socket looks open.
    issuer.revoke("sid", "s");
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    await close();
  });

  test("that the appliance lacks is not requested again and again", async () => {
    const { server, token, cursors, close } = await setUp(() => errorResponse(404, "not_found", "not_found_error"));
    await server.verifyToken(token);
    await until(() => cursors.length === 1);
    await Bun.sleep(1_000);
    expect(cursors.length).toBe(1);
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    await close();
  });

  test("that is refused returns at the time that the appliance named", async () => {
    const refuse = () => {
      const answer = errorResponse(429, "rate_limited", "rate_limit_error");
      answer.headers.set("retry-after", "60");
      return answer;
    };
    const { server, token, cursors, close } = await setUp(refuse);
    await server.verifyToken(token);
    await until(() => cursors.length === 1);
    await Bun.sleep(1_000);
    expect(cursors.length).toBe(1);
    await close();
  });

  test.each<[string, () => Response]>([
    ["a page", () => new Response("<html>", { headers: { "content-type": "text/html" } })],
    ["a redirect", () => new Response(null, { status: 302, headers: { location: "/elsewhere" } })],
    ["an outage", () => errorResponse(503, "overloaded", "api_error")],
    ["an event that is not JSON", () => events((send) => send("id: 9\nevent: revocation\ndata: {\n\n"))],
    ["a huge event", () => events((send) => send(`data: ${"x".repeat(100_000)}`))],
  ])("%s: verification goes on, and so do attempts", async (_name, answer) => {
    const { server, token, cursors, close } = await setUp(answer);
    await server.verifyToken(token);
    await until(() => cursors.length >= 2);
    expect(server.isStreaming()).toBe(false);
    expect(await outcome(server.verifyToken(token))).toBe("accepted");
    await close();
  });

  test("too many entries: the stream counts as broken, and no revoked token is accepted again", async () => {
    const { issuer, server, token, cursors, close } = await setUp((_url, attempt) =>
      events((send) => {
        send(`:\n\n${revocation(issuer, "s", "1")}`);
        if (attempt > 1) return;
        for (let page = 0; page < 101; page++) {
          let text = "";
          for (let index = 0; index < 1_000; index++) text += revocation(issuer, `${page}/${index}`, "1");
          send(text);
        }
      }),
    );
    await server.verifyToken(token);
    await until(() => cursors.length >= 2);
    expect(await outcome(server.verifyToken(token))).toBe("token_revoked/revoked");
    await close();
  }, 30_000);

  test("an unknown cursor: the poll begins again", async () => {
    const { issuer, server, token, cursors, close } = await setUp((_url, attempt) =>
      attempt === 1 ? errorResponse(400, "invalid_input", "invalid_request_error") : events((send) => send(":\n\n")),
    );
    await server.verifyToken(token);
    await until(() => server.isStreaming());
    expect(cursors).toEqual(["0", "0"]);
    expect(issuer.count("/v1/revocations")).toBeGreaterThan(1);
    await close();
  });

  test("does not start for an instance that verifies nothing", async () => {
    const { cursors, close } = await setUp(() => events((send) => send(":\n\n")));
    await Bun.sleep(100);
    expect(cursors).toEqual([]);
    await close();
  });

  test("onStale deny: a working stream is not stale, and staleness shows an outage", async () => {
    const { issuer, token, close } = await setUp(() => events((send) => send(":\n\n")));
    const strict = new SallyportServer({
      baseUrl: issuer.url,
      applicationId: APPLICATION,
      now: issuer.now,
      onStale: "deny",
    });
    expect(await outcome(strict.verifyToken(token))).toBe("accepted");
    await until(() => strict.isStreaming());
    issuer.override = () => errorResponse(503, "overloaded", "api_error");
    issuer.time += 61_000;
    expect(await outcome(strict.verifyToken(token))).toBe("unreachable");
    expect(strict.staleness()).toBe(61_000);
    strict.close();
    await close();
  });
});

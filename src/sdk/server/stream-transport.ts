import type * as NodeHttp from "node:http";
import { type Fetch, platformFetch } from "../internal/http.ts";
import { nodeBuiltin } from "../internal/node-builtin.ts";

/** An answer whose body is still arriving. */
export interface OpenStream {
  status: number;
  /** Takes a header's name in lower case. */
  header: (name: string) => string | null;
  chunks: AsyncIterable<Uint8Array>;
}

/** Opens a GET and reads its body for as long as it arrives. `signal` ends it at any time. */
export type StreamTransport = (url: string, signal: AbortSignal) => Promise<OpenStream>;

const HEADERS = { accept: "text/event-stream", "cache-control": "no-cache" };

/**
 * Uses node:http if the platform has it, because its socket need not keep the process alive; fetch's always does. Uses the
 * integrator's `fetch` instead if there is one, because it may know the way out of the network.
 */
export async function streamTransport(fetch: Fetch): Promise<StreamTransport> {
  if (fetch !== platformFetch) return byFetch(fetch);
  const [http, https] = await Promise.all([
    nodeBuiltin<typeof NodeHttp>("node:http"),
    nodeBuiltin<typeof NodeHttp>("node:https"),
  ]);
  return http && https ? byNode(http, https) : byFetch(fetch);
}

function byFetch(fetch: Fetch): StreamTransport {
  return async (url, signal) => {
    const response = await fetch(url, { headers: HEADERS, redirect: "manual", signal });
    return {
      status: response.status,
      header: (name) => response.headers.get(name),
      chunks: chunksOf(response.body),
    };
  };
}

/** Some platforms' streams are not async iterables. */
async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (!body) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

type NodeClient = Pick<typeof NodeHttp, "get">;

function byNode(http: NodeClient, https: NodeClient): StreamTransport {
  return (url, signal) =>
    new Promise((resolve, reject) => {
      const client = url.startsWith("https:") ? https : http;
      // A connection of its own: in a pool, it would take a place for good.
      const request = client.get(url, { headers: HEADERS, agent: false, signal }, (response) => {
        resolve({
          status: response.statusCode ?? 0,
          header: (name) => String(response.headers[name] ?? "") || null,
          chunks: response,
        });
      });
      request.on("socket", (socket) => (socket as Partial<typeof socket>).unref?.());
      request.on("error", reject);
    });
}

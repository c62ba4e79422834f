import { createHash, timingSafeEqual } from "node:crypto";
import { SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Storage } from "../storage/storage.ts";
import type { Edge, Handler } from "./edge.ts";

/** Serves liveness, readiness and metrics to the supervisor of the process. */
export function healthHandlers(edge: Edge, storage: Storage, metrics: Metrics, metricsToken: string | undefined) {
  const render: Handler = (exchange) => {
    exchange.headers["content-type"] = "text/plain; version=0.0.4; charset=utf-8";
    return new Response(metrics.render(), { headers: exchange.headers });
  };
  const healthz: Handler = (exchange) => edge.json(exchange, 200, { status: "ok" });
  let draining = false;
  let writtenAt = Number.NEGATIVE_INFINITY;
  let probing: Promise<void> | undefined;
  /** Writes once a second at most, because anybody may call /readyz, and each write is a flush. */
  const probe = (): Promise<void> => {
    if (performance.now() - writtenAt < SECOND && !storage.stats().isFailed) return Promise.resolve();
    probing ??= storage
      .probe()
      .then(() => {
        writtenAt = performance.now();
      })
      .finally(() => {
        probing = undefined;
      });
    return probing;
  };
  const readyz: Handler = async (exchange) => {
    if (draining)
      throw new AppError("overloaded", {
        message: "The server is stopping. Send the request to another node.",
        retryAfter: 1,
      });
    await probe();
    return edge.json(exchange, 200, { status: "ready" });
  };
  /** Hides /metrics on the main port unless a token is configured. */
  const guarded: Handler = (exchange) => {
    if (metricsToken === undefined) throw new AppError("not_found");
    const given = exchange.request.headers.get("authorization") ?? "";
    if (!equal(given, `Bearer ${metricsToken}`)) throw new AppError("authentication_required");
    return render(exchange);
  };
  const drain = () => {
    draining = true;
  };
  return { healthz, readyz, metrics: guarded, openMetrics: render, drain };
}

function equal(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

import type { AnyRouter } from "@trpc/server";
import type { Clock } from "./core/clock.ts";
import { MINUTE, SECOND } from "./core/clock.ts";
import { composeSettings, type SettingsOf, sliceValues } from "./core/config.ts";
import { AppError } from "./core/errors.ts";
import type { Job } from "./core/feature.ts";
import type { Log } from "./core/log.ts";
import { Metrics } from "./core/metrics.ts";
import { hostnameOf, OwnHosts } from "./core/own-hosts.ts";
import { shownSettings } from "./core/shown-settings.ts";
import { ThrottledLog } from "./core/throttled-log.ts";
import type { MasterKeys } from "./crypto/master-key.ts";
import { features as registry } from "./features/index.ts";
import { Edge } from "./http/edge.ts";
import { debugRequestLog, type RequestLog } from "./http/request-log.ts";
import { buildRoutes } from "./http/server.ts";
import { httpSettings } from "./http/settings.ts";
import type { AuditedAct } from "./identity/audit/watch.ts";
import { createIdentity, type Identity } from "./identity/identity.ts";
import { identitySettings } from "./identity/settings.ts";
import type { Inbox } from "./mail/inbox.ts";
import { mailSettings } from "./mail/settings.ts";
import { isLocal } from "./mail/smtp-url.ts";
import type { Transport } from "./mail/transport.ts";
import { type Composition, composeFeatures } from "./rpc/compose.ts";
import { createProcedures } from "./rpc/procedures.ts";
import { faultOf, reasonOf } from "./storage/errors.ts";
import { Integrity } from "./storage/integrity.ts";
import { storageSettings } from "./storage/settings.ts";
import type { Storage } from "./storage/storage.ts";

/** All features of the registry, composed. */
export const features = composeFeatures(registry);

const hostSettings = composeSettings({
  http: httpSettings,
  storage: storageSettings,
  identity: identitySettings,
  mail: mailSettings,
});
/** The one schema of all settings, composed of the slices of every part. */
export const settings = composeSettings({ host: hostSettings, features: features.settings });
export type AppSettings = SettingsOf<typeof settings>;

export interface AppOptions<Features extends Composition = typeof features> {
  /** Replaces the features of the registry. */
  features?: Features;
  settings: SettingsOf<typeof hostSettings> & SettingsOf<Features["settings"]>;
  /** The public base URL, without a trailing slash. */
  publicUrl: string;
  storage: Storage;
  clock: Clock;
  log: Log;
  masterKeys: MasterKeys;
  version: string;
  /** Carries mails. Without it, mails wait in the outbox. */
  transport?: Transport | null;
  /** Catches mails in place of `transport`, and shows them to anyone. Only `sallyport dev` sets it. */
  inbox?: Inbox | null;
  /** Whether every page on this machine may call, even if no application lists it. Only `sallyport dev` sets it. */
  allowsLoopbackPages?: boolean;
  /** Receives every request. Without it, the log has the requests at level `debug`. */
  requestLog?: RequestLog;
  /** Receives every act that this process has committed to the audit log. */
  onAudit?: (act: AuditedAct) => void;
}

export interface App {
  identity: Identity;
  router: AnyRouter;
  metrics: Metrics;
  /** The routes for `Bun.serve`. */
  routes: ReturnType<typeof buildRoutes>["routes"];
  fetch: ReturnType<typeof buildRoutes>["fetch"];
  serveOn: ReturnType<typeof buildRoutes>["serveOn"];
  openMetrics: ReturnType<typeof buildRoutes>["openMetrics"];
  integrity: Integrity;
  jobs: readonly Job[];
  /** Makes /readyz answer 503 from now on, so that a load balancer stops sending requests. */
  drain(): void;
}

/**
 * The composition root: wiring only.
 * @throws Error if an open inbox or open origins would be reachable from another machine
 */
export async function createApp<Features extends Composition = typeof features>(
  options: AppOptions<Features>,
): Promise<App> {
  const { storage, clock, log, publicUrl, settings: values } = options;
  const composed: Composition = options.features ?? features;
  const inbox = options.inbox ?? null;
  const { protocol, hostname } = new URL(publicUrl);
  const allowsLoopbackPages = options.allowsLoopbackPages === true;
  const tenantHosts = [...values.tenant_hosts.keys()];
  const isOpenHere = protocol === "http:" && [hostname, ...tenantHosts.map(hostnameOf)].every(isLocal);
  if ((inbox || allowsLoopbackPages) && !isOpenHere) {
    const all = [publicUrl, ...tenantHosts].join(", ");
    throw new Error(`An open inbox and open origins need loopback addresses over http, not ${all}.`);
  }
  const metrics = new Metrics();
  metrics.counter("sallyport_storage_writes_total", "Writes committed or refused.", () => storage.stats().writes);
  metrics.counter(
    "sallyport_storage_commits_total",
    "Commits. One commit can hold many writes.",
    () => storage.stats().commits,
  );
  metrics.counter("sallyport_storage_failed_total", "Commits that failed.", () => storage.stats().failedCommits);
  metrics.gauge("sallyport_storage_failed", "1 when writes are refused until a restart.", () =>
    storage.stats().isFailed ? 1 : 0,
  );
  metrics.gauge("sallyport_storage_damaged", "1 when a check has found damage in the database.", () =>
    storage.stats().isDamaged ? 1 : 0,
  );
  const integrity = new Integrity(storage, log);
  metrics.gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  const hosts = new OwnHosts(publicUrl, values.tenant_hosts);
  const identity = await createIdentity({
    storage,
    clock,
    masterKeys: options.masterKeys,
    hosts,
    allowsLoopbackPages,
    ...(options.onAudit ? { onAudit: options.onAudit } : {}),
    settings: sliceValues(hostSettings, "the host", values),
    features: composed.hooks,
    transport: inbox ?? options.transport ?? null,
    log,
  });
  const { outbox, retention } = identity;
  metrics.counter(
    "sallyport_retention_rows_total",
    "Rows that retention deleted or cleared.",
    () => retention.stats.rows,
  );
  metrics.counter("sallyport_retention_seconds_total", "Time that retention ran.", () => retention.stats.seconds);
  metrics.gauge("sallyport_mails_waiting", "Mails waiting to be sent.", () => outbox.stats.waiting);
  metrics.counter("sallyport_mails_sent_total", "Mails sent.", () => outbox.stats.sent);
  metrics.counter(
    "sallyport_mails_retried_total",
    "Failed attempts after which a mail waits again.",
    () => outbox.stats.retried,
  );
  metrics.counter("sallyport_mails_dead_total", "Mails that were given up.", () => outbox.stats.dead);
  const { router, secondFactors, jobs } = composed.start(
    { identity, procedures: createProcedures(identity), metrics, log },
    values,
  );
  identity.secondFactors.offer(secondFactors);
  const edge = new Edge({
    hosts,
    trustedProxies: values.trusted_proxies,
    clientAddressHeader: values.client_address_header,
    hsts: values.hsts,
    clock,
    log,
    requestLog: options.requestLog ?? (values.log_level === "debug" ? debugRequestLog(log) : null),
    metrics,
  });
  const built = buildRoutes({
    identity,
    router,
    edge,
    metrics,
    metricsToken: values.metrics_token,
    corsHeaders: values.cors_headers,
    version: options.version,
    inbox,
    report: {
      masterKeys: options.masterKeys,
      settings: { ...shownSettings(settings, values), public_url: publicUrl },
      isDev: allowsLoopbackPages,
      version: options.version,
    },
  });
  return { identity, router, metrics, integrity, jobs: [...identity.jobs, ...jobs, integrity.job], ...built };
}

/**
 * Runs each job within a minute and then at its own interval.
 * @returns stops the jobs and waits for those that run
 */
export function startJobs(jobs: readonly Job[], log: Log): () => Promise<void> {
  const running = new Set<Promise<void>>();
  const faults = new ThrottledLog(log);
  const stopping = new AbortController();
  const run = (job: Job) => {
    const done = job
      .run(stopping.signal)
      .catch((error: unknown) => {
        const said = "A job failed. It will run again.";
        if (error instanceof AppError && error.code === "storage_unavailable") {
          faults.error(faultOf(error.cause), { job: job.name, reason: reasonOf(error.cause) }, said);
        } else log.error({ job: job.name, err: error }, said);
      })
      .finally(() => running.delete(done));
    running.add(done);
  };
  const timers = jobs.flatMap((job) => {
    const timer = setInterval(() => run(job), job.every);
    const first = setTimeout(() => run(job), Math.min(job.every, MINUTE));
    timer.unref();
    first.unref();
    job.onWake?.(() => run(job));
    return [timer, first];
  });
  return async () => {
    stopping.abort();
    for (const timer of timers) clearTimeout(timer);
    await Promise.race([Promise.allSettled(running), Bun.sleep(5 * SECOND)]);
  };
}

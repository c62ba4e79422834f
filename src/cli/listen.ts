import { type App, createApp, startJobs } from "../app.ts";
import { SECOND, systemClock } from "../core/clock.ts";
import { ConfigError } from "../core/config.ts";
import type { Log } from "../core/log.ts";
import { version } from "../core/version.ts";
import type { RequestLog } from "../http/request-log.ts";
import { listenerOptions } from "../http/server.ts";
import type { AuditedAct } from "../identity/audit/watch.ts";
import type { Inbox } from "../mail/inbox.ts";
import { DEFAULT_SENDER } from "../mail/settings.ts";
import { SmtpTransport, smtpOptions } from "../mail/smtp.ts";
import { CommandError } from "./command.ts";
import type { Instance } from "./instance.ts";
import { LineLog, logOutput } from "./line-log.ts";
import type { LineOutput } from "./line-output.ts";

/** Milliseconds for open requests to end after the process is told to stop. */
const DRAIN = 15 * SECOND;

export interface Listening {
  app: App;
  url: string;
  publicUrl: string;
  log: Log;
  /** Resolves with the exit code after the process was told to stop and has drained. */
  done: Promise<number>;
}

/** Extra parts of `sallyport dev`, whose pages may be on any port of this machine. */
export interface DevParts {
  /** Catches the mails, unless a mail server is configured. */
  inbox: Inbox;
  requestLog?: RequestLog;
  onAudit?: (act: AuditedAct) => void;
}

/** Returns the output of a descriptor, which writes its last lines when the process ends. */
export function createOutput(fd: 1 | 2): LineOutput {
  const output = logOutput(fd, systemClock);
  process.on("exit", () => output.flush());
  return output;
}

export function createLog(options: { level: string; output: LineOutput }): Log {
  return new LineLog({ ...options, clock: systemClock });
}

/**
 * Takes the port first, then builds the application for the resulting address, then answers requests.
 * @param dev the extra parts of `sallyport dev`
 * @throws CommandError if the port is taken, ConfigError if the public URL cannot work, MasterKeyMismatch
 */
export async function listen(instance: Instance, log: Log, dev: DevParts | null = null): Promise<Listening> {
  const { settings } = instance;
  const smtp = smtpOptions(settings, settings.public_url);
  const transport = smtp === null ? null : new SmtpTransport(smtp);
  const starting = () => new Response("starting", { status: 503, headers: { "retry-after": "1" } });
  const { host: hostname, port, idle_timeout: idleTimeout } = settings;
  const server = binding(hostname, port, "--port", () =>
    Bun.serve({ ...listenerOptions, idleTimeout, hostname, port, fetch: starting }),
  );
  try {
    const url = `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${server.port}`;
    const publicUrl = settings.public_url ?? `http://localhost:${server.port}`;
    const app = await createApp({
      settings,
      publicUrl,
      storage: instance.storage,
      clock: instance.clock,
      log,
      masterKeys: instance.masterKeys,
      version,
      transport,
      inbox: transport === null ? (dev?.inbox ?? null) : null,
      allowsLoopbackPages: dev !== null,
      ...(dev?.requestLog ? { requestLog: dev.requestLog } : {}),
      ...(dev?.onAudit ? { onAudit: dev.onAudit } : {}),
    });
    await app.integrity.start();
    const stopDocuments = await app.serveOn(server);
    const metricsServer = listenForMetrics(settings, app);
    if (dev === null || transport !== null) warnOfMail(settings, log);
    const stopJobs = startJobs(app.jobs, log);
    const done = new Promise<number>((finish) => {
      let stopping = false;
      const stop = async (code: number, reason: object) => {
        if (stopping) return;
        stopping = true;
        log.info(reason, "Stopping after the open requests.");
        app.drain();
        stopDocuments();
        await Promise.race([server.stop(), Bun.sleep(DRAIN)]);
        await server.stop(true);
        await metricsServer?.stop(true);
        await stopJobs();
        await app.identity.outbox.stop();
        await transport?.close();
        await instance.storage.close();
        log.info({}, "Stopped.");
        finish(code);
      };
      process.on("SIGTERM", () => void stop(0, { signal: "SIGTERM" }));
      process.on("SIGINT", () => void stop(0, { signal: "SIGINT" }));
      instance.storage.onFailure((cause) => {
        const said = "The disk failed to keep a write. This process ends so that its supervisor restarts it.";
        log.fatal({ err: cause }, said);
        void stop(1, { reason: "storage failure" });
      });
    });
    return { app, url, publicUrl, log, done };
  } catch (error) {
    await server.stop(true);
    throw error;
  }
}

function warnOfMail({ smtp_url: url, mail_from: from }: Instance["settings"], log: Log): void {
  if (url === undefined) {
    log.warn({}, "smtp_url is not set: mails wait until they expire. Set it to the URL of your mail server.");
  } else if (from.address === DEFAULT_SENDER.address) {
    log.warn(
      {},
      `Mails come from ${from.address}, which mail servers refuse. Set mail_from to an address of your domain.`,
    );
  }
}

function listenForMetrics(settings: Instance["settings"], app: App) {
  const { host: hostname, metrics_port: port, idle_timeout: idleTimeout } = settings;
  if (port === undefined) return undefined;
  return binding(hostname, port, "--metrics-port", () =>
    Bun.serve({
      ...listenerOptions,
      idleTimeout,
      hostname,
      port,
      routes: { "/metrics": app.openMetrics },
      fetch: app.fetch,
    } as never),
  );
}

/** @throws CommandError, ConfigError with the fix */
function binding<T>(hostname: string, port: number, flag: string, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new CommandError(
        `Port ${port} on ${hostname} is taken. Stop the program that uses it, or choose another port: ${flag} ${port + 1}`,
      );
    }
    if (code === "EACCES") {
      throw new CommandError(
        `Port ${port} needs more rights than this process has. Choose a port above 1023 with ${flag}.`,
      );
    }
    throw new ConfigError(
      `Cannot listen on ${hostname}:${port} (${code ?? (error as Error).message}). Use --host with an address of this machine.`,
    );
  }
}

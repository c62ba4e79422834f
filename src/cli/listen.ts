import pino from "pino";
import { type App, createApp, startJobs } from "../app.ts";
import { SECOND } from "../core/clock.ts";
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

/** How long a request that has begun may take once the process was asked to stop. */
const DRAIN = 15 * SECOND;

export interface Listening {
  app: App;
  url: string;
  publicUrl: string;
  log: Log;
  /** Resolves with the exit code when the process was asked to stop and has drained. */
  done: Promise<number>;
}

/** What `sallyport dev` has besides: its pages may be on any port of this machine. */
export interface DevParts {
  /** Catches the mails, unless a mail server is configured. */
  inbox: Inbox;
  requestLog?: RequestLog;
  onAudit?: (act: AuditedAct) => void;
}

export function createLog(options: { level: string; fd: 1 | 2 }): Log {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    pino.destination({ fd: options.fd, sync: true }),
  );
}

/**
 * Takes the port first, then wires the application to the address that it got, then answers.
 * @param dev what `sallyport dev` has besides
 * @throws CommandError for a port that is taken, ConfigError for a public URL that cannot work, MasterKeyMismatch
 */
export async function listen(instance: Instance, log: Log, dev: DevParts | null = null): Promise<Listening> {
  const { settings } = instance;
  const smtp = smtpOptions(settings, settings.public_url);
  const transport = smtp === null ? null : new SmtpTransport(smtp);
  const starting = () => new Response("starting", { status: 503, headers: { "retry-after": "1" } });
  const { host: hostname, port } = settings;
  const server = binding(hostname, port, "--port", () =>
    Bun.serve({ ...listenerOptions, hostname, port, fetch: starting }),
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
    const stopDocuments = await app.serveOn(server);
    const metricsServer = listenForMetrics(settings.host, settings.metrics_port, app);
    if (dev === null || transport !== null) warnOfMail(settings, log);
    const stopJobs = startJobs(app.jobs, log);
    const done = new Promise<number>((finish) => {
      let stopping = false;
      const stop = async (code: number, reason: object) => {
        if (stopping) return;
        stopping = true;
        log.info(reason, "Stopping: what has begun is finished first.");
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
        const said = "The disk failed to keep a write. This process ends, so that its supervisor starts it anew.";
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
    log.warn({}, "No smtp_url is set: mails wait, and are given up when they expire. Set it to your mail server's.");
  } else if (from.address === DEFAULT_SENDER.address) {
    log.warn(
      {},
      `Mails come from ${from.address}, which mail servers refuse. Set mail_from to an address of your domain.`,
    );
  }
}

function listenForMetrics(host: string, port: number | undefined, app: App) {
  if (port === undefined) return undefined;
  return binding(host, port, "--metrics-port", () =>
    Bun.serve({ hostname: host, port, routes: { "/metrics": app.openMetrics }, fetch: app.fetch } as never),
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
        `Port ${port} on ${hostname} is taken. Stop the program that has it, or give another port: ${flag} ${port + 1}`,
      );
    }
    if (code === "EACCES") {
      throw new CommandError(`Port ${port} needs more rights than this process has. Give one above 1023 with ${flag}.`);
    }
    throw new ConfigError(
      `${hostname}:${port} cannot be listened on (${code ?? (error as Error).message}). Give an address of this machine with --host.`,
    );
  }
}

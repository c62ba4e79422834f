import { timingSafeEqual } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { MINUTE, SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { MasterKeys } from "../crypto/master-key.ts";
import type { Identity } from "../identity/identity.ts";
import { reasonOf } from "../storage/errors.ts";
import type { Edge, Handler } from "./edge.ts";

/** Beside the API, because only `sallyport doctor` calls it. */
export const REPORT_PATH = "/self-report";

/** The facts that a server tells a holder of its master key about itself. */
export interface SelfReport {
  version: string;
  /** Whether `dev` runs it, which has settings of its own. */
  is_dev: boolean;
  /** The effective settings as text; `(set)` for a secret, null without a value. */
  settings: Record<string, string | null>;
  client: {
    /** The address that limits count. */
    address: string;
    /** The other end of the connection. */
    peer: string;
    is_trusted: boolean;
    has_header: boolean;
    /** A hop that the server could not read since it started. */
    unreadable: string | null;
  };
  /** null if a write has just succeeded. */
  write_fault: string | null;
  mails: { waiting: number; dead: number };
  /** null where the system does not tell. */
  descriptors: { open: number; limit: number | null } | null;
}

export interface SelfReportOptions {
  masterKeys: MasterKeys;
  settings: Record<string, string | null>;
  isDev: boolean;
  version: string;
}

/** Returns the Bearer token of `doctor`, which holds the master key. It works for a minute, and for nothing else. */
export function reportToken(masterKeys: MasterKeys, now: number): string {
  const seconds = Math.floor(now / SECOND);
  return `${seconds}.${masterKeys.proofOf(`self-report ${seconds}`)}`;
}

/** Answers the report. Anybody else is told that there is no such path. */
export function selfReportHandler(
  identity: Pick<Identity, "clock" | "outbox" | "storage">,
  edge: Edge,
  options: SelfReportOptions,
): Handler {
  const { masterKeys, settings, isDev, version } = options;
  return async (exchange) => {
    const given = exchange.request.headers.get("authorization") ?? "";
    if (!isToken(given, masterKeys, identity.clock.now())) throw new AppError("not_found");
    const fault = await identity.storage.probe().then(
      () => null,
      (error: unknown) => reasonOf((error as { cause?: unknown }).cause ?? error),
    );
    const { waiting, dead } = identity.outbox.stats;
    const report: SelfReport = {
      version,
      is_dev: isDev,
      settings,
      client: edge.clientFacts(exchange),
      write_fault: fault,
      mails: { waiting, dead },
      descriptors: descriptors(),
    };
    return edge.json(exchange, 200, report);
  };
}

function isToken(authorization: string, masterKeys: MasterKeys, now: number): boolean {
  const seconds = Number(/^Bearer (\d{1,12})\./.exec(authorization)?.[1] ?? Number.NaN);
  if (!(Math.abs(seconds * SECOND - now) <= MINUTE)) return false;
  const expected = Buffer.from(`Bearer ${reportToken(masterKeys, seconds * SECOND)}`);
  const actual = Buffer.from(authorization);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** Returns the open file descriptors of this process and their limit, or null where the system does not tell. */
export function descriptors(): SelfReport["descriptors"] {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return { open: readdirSync("/proc/self/fd").length, limit: limit === undefined ? null : Number(limit) };
  } catch {
    return null;
  }
}

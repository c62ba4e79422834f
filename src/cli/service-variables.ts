import type { Log } from "../core/log.ts";
import type { CommandContext } from "./command.ts";
import { type Finding, ok } from "./finding.ts";

/**
 * Kubernetes gives every pod variables for each Service of its namespace, and Docker's links do the same. Those of a Service
 * named `sallyport` (or `sallyport-metrics`) have the names of settings: SALLYPORT_PORT=tcp://10.0.0.7:8080. They describe a
 * Service and set nothing here.
 */
const ADDRESS = /^(?:tcp|udp|sctp):\/\/\S+$/;
/** Names that only these programs use: SALLYPORT_SERVICE_HOST, SALLYPORT_PORT_8080_TCP_ADDR. */
const NAMES =
  /^SALLYPORT_(?:\w+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
/** Also the name of a setting, so that the value decides. */
const PORT = /^SALLYPORT_(?:\w+_)?PORT$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** Tells which variables describe a Service of the cluster. */
export function serviceVariables(env: Environment): string[] {
  return Object.entries(env)
    .filter(([name, value = ""]) => NAMES.test(name) || (PORT.test(name) && ADDRESS.test(value)))
    .map(([name]) => name)
    .sort();
}

export function without(env: Environment, names: readonly string[]): Environment {
  const dropped = new Set(names);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !dropped.has(name)));
}

const IGNORED =
  "Ignored the variables that Kubernetes or Docker sets for a service named sallyport. To set a port, use --port or the " +
  "configuration file, and enableServiceLinks: false keeps these variables out of the pod.";

export function tellIgnored({ foreignVariables }: CommandContext, log: Log): void {
  if (foreignVariables.length > 0) log.warn({ variables: foreignVariables }, IGNORED);
}

/** Returns what `doctor` says about them. */
export function findIgnored({ foreignVariables }: CommandContext): Finding[] {
  return foreignVariables.length === 0 ? [] : [ok("settings", `${IGNORED} (${foreignVariables.join(", ")})`)];
}

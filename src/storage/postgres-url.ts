/** Splits a URL before its hosts and behind them. A password that holds an @ must be percent-encoded. */
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/s;
const DEFAULT_PORT = 5432;
/** Values of libpq that lead to a server that takes writes. */
const WRITABLE: ReadonlySet<string> = new Set(["any", "read-write", "primary"]);

export interface PostgresHost {
  /** For messages, without a password: `db1:5432`. */
  name: string;
  /** The URL of this host alone, as the drivers take it. */
  url: string;
}

/**
 * Reads libpq's form with several hosts: `postgres://user@db1,db2:5433/name?target_session_attrs=read-write`. The drivers know
 * one host only, and no such parameter.
 * @throws Error that says what is wrong with the URL, without its password
 */
export function hostsOf(text: string): PostgresHost[] {
  const [, start, hosts, rest] = PARTS.exec(text) ?? [];
  if (start === undefined || hosts === undefined || rest === undefined) throw new Error("must begin with postgres://");
  const [path = "", query = ""] = rest.split(/\?(.*)/s);
  const parameters = new URLSearchParams(query);
  const target = parameters.get("target_session_attrs");
  if (target !== null && !WRITABLE.has(target)) {
    throw new Error(
      `has target_session_attrs=${target.slice(0, 20)}; Sallyport writes, so it is read-write or primary`,
    );
  }
  if (parameters.get("host")?.includes(","))
    throw new Error("must have its hosts before the path: postgres://a,b/name");
  parameters.delete("target_session_attrs");
  const kept = [...parameters].length === 0 ? "" : `?${parameters}`;
  return hosts.split(",").map((host) => {
    const url = `${start}${host}${path}${kept}`;
    if (!URL.canParse(url) || (host === "" && hosts !== "")) {
      throw new Error(`has the host ${JSON.stringify(host)}; write hosts as name:port, with commas between them`);
    }
    const { hostname, port } = new URL(url);
    return { name: `${hostname || parameters.get("host") || "localhost"}:${port || DEFAULT_PORT}`, url };
  });
}

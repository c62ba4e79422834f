/** A site on its own port: one page with a bundled script, under a policy that allows nothing inline. */
export interface PageServer extends AsyncDisposable {
  /** `http://localhost:<port>` */
  origin: string;
  port: number;
}

interface PageOptions {
  /** The script's source file. */
  entry: string;
  /** Source files by the path at which they are served. */
  styles?: Record<string, string>;
  /** In `<html data-…>`, for the script. */
  data: Record<string, string>;
  /** Origins that the page may connect to. */
  connect: string[];
  /** Answers before the page does. */
  api?: (request: Request) => Response | undefined | Promise<Response>;
}

const bundles = new Map<string, Promise<string>>();

/** Builds a script once per process. @throws Error with the build's messages */
async function bundle(entry: string): Promise<string> {
  const { outputs, logs, success } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    format: "esm",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const [output] = outputs;
  if (!success || !output) throw new Error(`${entry} does not build:\n${logs.join("\n")}`);
  return output.text();
}

export async function servePage({ entry, styles = {}, data, connect, api }: PageOptions): Promise<PageServer> {
  const script = await (bundles.get(entry) ?? bundles.set(entry, bundle(entry)).get(entry));
  const attributes = Object.entries(data).map(([name, value]) => ` data-${name}="${value}"`);
  const links = Object.keys(styles).map((path) => `<link rel="stylesheet" href="${path}">`);
  const html =
    `<!doctype html><html lang="en"${attributes.join("")}><head><meta charset="utf-8"><title>Test page</title>` +
    `<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">` +
    `${links.join("")}<script type="module" src="/page.js"></script></head>` +
    `<body><main id="root"></main></body></html>`;
  const policy =
    `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${connect.join(" ")}; ` +
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const answer = await api?.(request);
      if (answer) return answer;
      const style = styles[pathname];
      if (style !== undefined) return new Response(Bun.file(style), { headers: { "content-type": "text/css" } });
      if (pathname === "/page.js") return new Response(script, { headers: { "content-type": "text/javascript" } });
      return new Response(html, {
        headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
      });
    },
  });
  return {
    origin: `http://localhost:${server.port}`,
    port: server.port ?? 0,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

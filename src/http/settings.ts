import { defineSettings, setting } from "../core/config.ts";
import { NetworkList } from "../core/network.ts";
import * as z from "../core/zod.ts";

const baseUrl = z
  .string()
  .transform((text, ctx) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    const plain = url !== null && (url.protocol === "https:" || url.protocol === "http:") && url.search === "";
    if (plain && url.pathname === "/" && url.hash === "" && url.username === "") return url.origin;
    const hasPath = plain && url.pathname !== "/";
    const message = hasPath
      ? `has the path ${url.pathname}, and Sallyport needs a host of its own without a path, such as https://login.example.com`
      : "must be an origin such as https://login.example.com, without a path";
    ctx.addIssue({ code: "custom", message });
    return z.NEVER;
  })
  .optional();

const networks = setting
  .list()
  .default([])
  .transform((entries, ctx) => {
    try {
      return new NetworkList(entries);
    } catch (error) {
      ctx.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  });

const tenantHosts = setting
  .list()
  .default([])
  .transform((entries, ctx) => {
    const hosts = new Map<string, string>();
    for (const entry of entries) {
      const match = /^([a-z0-9.-]+(?::\d+)?)=([a-z0-9-]+)$/.exec(entry.toLowerCase());
      if (!match?.[1] || !match[2]) {
        ctx.addIssue({ code: "custom", message: `${entry} must be host=tenant-slug` });
        return z.NEVER;
      }
      hosts.set(match[1], match[2]);
    }
    return hosts;
  });

const HEADER_NAME = /^[!#$%&'+.^_`|~0-9a-z-]+$/;

const headerNames = z.preprocess(
  (value) => (typeof value === "string" ? value.toLowerCase() : value),
  setting.list().pipe(z.array(z.string().regex(HEADER_NAME, "must be a list of header names"))),
);

export const httpSettings = defineSettings({
  host: { schema: setting.text().default("127.0.0.1"), doc: "Address to listen on; 0.0.0.0 listens on all." },
  port: { schema: setting.integer(0, 65_535).default(8080), doc: "Port to listen on; 0 takes a free one." },
  public_url: {
    schema: baseUrl,
    doc: "Public address of this instance, such as https://login.example.com. It is the issuer of its tokens.",
  },
  trusted_proxies: {
    schema: networks,
    doc: "Addresses or CIDR blocks of proxies whose client_address_header is trusted.",
  },
  client_address_header: {
    schema: z.string().toLowerCase().regex(HEADER_NAME, "must be the name of a header").default("x-forwarded-for"),
    doc: "Header in which trusted proxies name the client: x-forwarded-for, forwarded (RFC 7239), or x-real-ip and the like.",
  },
  tenant_hosts: {
    schema: tenantHosts,
    doc: "More hosts, each with its tenant: login.acme.com=acme, with the port if browsers show one (login.acme.com:8443=acme).",
  },
  idle_timeout: {
    // Bun counts the seconds in one byte.
    schema: setting.integer(1, 255).default(75),
    doc: "Seconds after which an idle connection is closed; more than the proxy's own limit, which is 60 for most.",
  },
  cors_headers: {
    schema: headerNames.default(["traceparent", "tracestate", "baggage"]),
    shownDefault: "traceparent, tracestate, baggage",
    doc: "More request headers that allowed pages may send, such as those of a tracing library.",
  },
  hsts: {
    schema: z.enum(["off", "host", "subdomains"]).default("host"),
    doc: "Hosts for which browsers insist on https (HSTS): none, this host, or also every host below it.",
  },
  log_level: {
    schema: z.enum(["error", "warn", "info", "debug"]).default("info"),
    doc: "Least severe level to log; debug also logs every request.",
  },
  metrics_port: {
    schema: setting.integer(0, 65_535).optional(),
    doc: "Separate port for /metrics, on the same address.",
  },
  metrics_token: {
    schema: z.string().min(16, "must be 16 characters or more").optional(),
    secret: true,
    doc: "Bearer token that opens /metrics on the main port.",
  },
});

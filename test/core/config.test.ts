import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { settings as appSettings } from "../../src/app.ts";
import {
  ConfigError,
  type ConfigSources,
  defineSettings,
  envName,
  flagName,
  loadSettings,
  setting,
} from "../../src/core/config.ts";

const settings = defineSettings({
  public_url: { schema: z.string().default("http://default"), doc: "The address." },
  port: { schema: setting.integer(0, 65_535).default(8080), doc: "The port." },
  api_token: { schema: setting.optionalText(), secret: true, doc: "The token." },
  networks: { schema: setting.list().default([]), doc: "The networks." },
  open: { schema: setting.flag().default(false), doc: "Whether it is open." },
});
const load = (sources: Partial<ConfigSources>) => loadSettings(settings, { env: {}, flags: {}, ...sources });
const file = (values: Record<string, unknown>) => ({ file: { name: "sallyport.toml", values } });

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-config-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("precedence: defaults < file < environment < flags", () => {
  const env = { SALLYPORT_PUBLIC_URL: "http://env" };
  test("each source wins over the sources before it", () => {
    expect(load({}).public_url).toBe("http://default");
    expect(load(file({ public_url: "http://file" })).public_url).toBe("http://file");
    expect(load({ ...file({ public_url: "http://file" }), env }).public_url).toBe("http://env");
    expect(load({ ...file({ public_url: "http://file" }), env, flags: { public_url: "http://flag" } }).public_url).toBe(
      "http://flag",
    );
  });

  test("an empty variable counts as unset", () => {
    expect(load({ ...file({ port: 1 }), env: { SALLYPORT_PORT: "" } }).port).toBe(1);
  });
});

describe("the names of settings", () => {
  test("follow from the key, for a variable and for a flag", () => {
    expect([envName("public_url"), flagName("public_url")]).toEqual(["SALLYPORT_PUBLIC_URL", "--public-url"]);
  });

  test("an unknown key in the file is refused, with the nearest name", () => {
    expect(messageOf(() => load(file({ public_ulr: "x" })))).toBe(
      "sallyport.toml has an unknown key: public_ulr. Did you mean public_url?",
    );
    expect(messageOf(() => load(file({ zzzzzzzz: "x" })))).toContain("unknown key: zzzzzzzz");
    for (const key of ["constructor", "toString"]) {
      expect(messageOf(() => load(file({ [key]: 1 })))).toContain(`unknown key: ${key}`);
    }
  });

  test("foreign variables are ignored, and so are our own that are not settings", () => {
    const env = { PORT: "99999", PUBLIC_URL: "x", SALLYPORT_APP_ID: "app_x", SALLYPORT_API_KEY: "k", HOME: "/" };
    expect(load({ env })).toEqual(load({}));
  });
});

describe("secrets by file", () => {
  test("KEY_FILE is read and trimmed, and works only for secrets", () => {
    const path = join(directory, "token");
    writeFileSync(path, "  s3cret\n");
    expect(load({ env: { SALLYPORT_API_TOKEN_FILE: path } }).api_token).toBe("s3cret");
    expect(load({ env: { SALLYPORT_API_TOKEN_FILE: "" } }).api_token).toBeUndefined();
    expect(load({ env: { SALLYPORT_PUBLIC_URL_FILE: path } }).public_url).toBe("http://default");
  });

  test("a flag wins over it; both forms together are an error; a missing file is named", () => {
    const path = join(directory, "token2");
    writeFileSync(path, "from file");
    const env = { SALLYPORT_API_TOKEN_FILE: path };
    expect(load({ env, flags: { api_token: "from flag" } }).api_token).toBe("from flag");
    expect(messageOf(() => load({ env: { ...env, SALLYPORT_API_TOKEN: "x" } }))).toContain("both set");
    expect(messageOf(() => load({ env: { SALLYPORT_API_TOKEN_FILE: join(directory, "none") } }))).toContain("(ENOENT)");
    expect(messageOf(() => load({ env: { SALLYPORT_API_TOKEN_FILE: directory } }))).toContain("(EISDIR)");
  });

  test("the message about an invalid secret does not repeat it", () => {
    const strict = defineSettings({
      token: { schema: z.string().min(16, "must be 16 characters or more"), secret: true, doc: "T." },
    });
    const message = messageOf(() => loadSettings(strict, { env: { SALLYPORT_TOKEN: "hunter2" }, flags: {} }));
    expect(message).toBe("SALLYPORT_TOKEN is not valid: must be 16 characters or more. T.");
  });
});

describe("native values and text", () => {
  test("integers", () => {
    expect(load({ env: { SALLYPORT_PORT: "9000" } }).port).toBe(9000);
    expect(load(file({ port: 9000 })).port).toBe(9000);
    for (const port of ["x", "1e3", "80.5", "0x50", "-1", "65536", " 80"]) {
      expect(messageOf(() => load({ env: { SALLYPORT_PORT: port } }))).toContain("SALLYPORT_PORT is not valid");
    }
    expect(messageOf(() => load(file({ port: true })))).toContain("sallyport.toml: port is not valid");
    expect(messageOf(() => load({ flags: { port: "x" } }))).toContain("--port is not valid");
  });

  test("flags and lists", () => {
    for (const [text, value] of [
      ["true", true],
      ["1", true],
      ["false", false],
      ["0", false],
    ] as const) {
      expect(load({ env: { SALLYPORT_OPEN: text } }).open).toBe(value);
    }
    expect(messageOf(() => load({ env: { SALLYPORT_OPEN: "yes" } }))).toContain("must be true or false");
    expect(load({ env: { SALLYPORT_NETWORKS: " a , b,,c " } }).networks).toEqual(["a", "b", "c"]);
    expect(load(file({ networks: ["a"] })).networks).toEqual(["a"]);
    expect(messageOf(() => load(file({ networks: [1] })))).toContain("separated by commas");
  });
});

describe("the application's own settings", () => {
  const own = (env: Record<string, string>) => loadSettings(appSettings, { env, flags: {} });

  test("the public URL is an origin and nothing more", () => {
    expect(own({ SALLYPORT_PUBLIC_URL: "https://login.example.com/" }).public_url).toBe("https://login.example.com");
    for (const url of [
      "login.example.com",
      "ftp://x",
      "https://x/path",
      "https://u@x",
      "https://x?a",
      "https://x#a",
      "javascript:alert(1)",
      "https://",
    ]) {
      expect(messageOf(() => own({ SALLYPORT_PUBLIC_URL: url }))).toContain("SALLYPORT_PUBLIC_URL is not valid");
    }
  });

  test("limits, networks and tenant hosts are read completely or refused", () => {
    expect(own({ SALLYPORT_LIMIT_ACCOUNT: "5/1m" }).limit_account).toEqual({ burst: 5, interval: 12_000 });
    expect(own({ SALLYPORT_TRUSTED_PROXIES: "10.0.0.0/8,::1" }).trusted_proxies.has("10.1.2.3")).toBeTrue();
    expect(own({ SALLYPORT_TENANT_HOSTS: "Login.Acme.com=acme" }).tenant_hosts.get("login.acme.com")).toBe("acme");
    for (const [name, value] of [
      ["SALLYPORT_LIMIT_ACCOUNT", "many"],
      ["SALLYPORT_TRUSTED_PROXIES", "10.0.0.0/99"],
      ["SALLYPORT_TENANT_HOSTS", "acme"],
      ["SALLYPORT_METRICS_TOKEN", "short"],
      ["SALLYPORT_DATABASE_URL", "mysql://x"],
    ] as const) {
      expect(messageOf(() => own({ [name]: value }))).toStartWith(`${name} is not valid`);
    }
  });

  test("every setting has a sentence that says its purpose", () => {
    for (const [key, { doc }] of Object.entries(appSettings))
      expect([key, doc]).toEqual([key, expect.stringMatching(/^[A-Z].+\.$/)]);
  });
});

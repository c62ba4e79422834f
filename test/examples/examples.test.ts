import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Prepared, prepare, sallyport, start as startCli, tidy } from "../support/cli.ts";
import { paste, ROOT, succeed } from "./support/commands.ts";
import { type Example, type Running, start, Workshop } from "./support/example.ts";

/**
 * Runs the examples as a newcomer would: copies each to its own folder, installs the packed SDK there, and pastes the commands
 * of its README block by block, against the live appliance. test/browser runs `react-spa`.
 */
const LONG = 300_000;
const PASSWORD = "five tame otters hum at dawn";

let workshop: Workshop;
let made: Prepared;
/** The public address of the appliance, which is the issuer. */
let url: string;
let otherApplicationId: string;

beforeAll(async () => {
  workshop = await Workshop.open();
  made = await prepare();
  const other = ["app", "create", "--name", "Other", "--algorithm", "RS256", "--json"];
  otherApplicationId = (JSON.parse((await sallyport(other, { env: made.env })).stdout) as { id: string }).id;
  url = String((await startCli(["serve", "--port", "0"], { env: made.env })).ready.public_url);
}, LONG);

afterAll(async () => {
  await tidy();
  await workshop.close();
});

/** Signs a user up with an application. Returns the token, which is for that application. */
async function tokenOf(applicationId: string, email: string): Promise<string> {
  const response = await fetch(`${url}/v1/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-application-id": applicationId },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { access_token: string }).access_token;
}

interface Service {
  name: string;
  prepare(): Promise<Example>;
  /** The application whose sign-up the README uses. */
  applicationId(): string;
  env(): Record<string, string>;
}

const withSdk = {
  applicationId: () => made.applicationId,
  env: () => ({ SALLYPORT_URL: url, SALLYPORT_APP_ID: made.applicationId }),
};

const services: Service[] = [
  { name: "express-api", prepare: () => workshop.npmExample("express-api", ["express"]), ...withSdk },
  { name: "hono-bun", prepare: () => workshop.npmExample("hono-bun", ["hono"]), ...withSdk },
  {
    name: "fastapi",
    prepare: () => workshop.pythonExample("fastapi"),
    applicationId: () => made.defaultApplicationId,
    env: () => ({
      SALLYPORT_URL: url,
      SALLYPORT_API_AUDIENCE: `${url}/api/${made.defaultApplicationId}`,
    }),
  },
];

// A laptop may lack a language, but CI must have all of them.
const lacksPython = !process.env.CI && Bun.which("python3") === null;

for (const service of services) {
  if (service.name === "fastapi" && lacksPython) {
    test.skip("fastapi: python3 not found on the PATH", () => undefined);
    continue;
  }

  describe(service.name, () => {
    let example: Example;
    let running: Running;

    beforeAll(async () => {
      example = await service.prepare();
      running = await start(example, service.env());
    }, LONG);

    afterAll(() => running.stop());

    const me = (token: string) => fetch(`${running.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    const here = (block: string) =>
      block.replaceAll("http://localhost:3000", running.url).replaceAll(/^sleep .*\n/gm, "");

    test("works as its README says, and refuses an ended session", async () => {
      const [ask = "", leave = ""] = example.blocks[1]?.split(/^(?=# Sign out)/m) ?? [];
      const asked = await paste(`${here(ask)}\nprintf '\\n%s' "$token"`, example.folder, service.env());
      expect(statusesIn(asked)).toEqual([401, 200]);
      expect(asked).toMatch(/www-authenticate: Bearer\r\n/i);
      expect(asked).toMatch(/\{"user":\{"id":"[0-9a-f-]{36}","email":"\w+@example.com"\}\}/);
      const token = asked.split("\n").at(-1) ?? "";
      expect((await me(token)).status).toBe(200);
      let left = await paste(here(leave), example.folder, { ...service.env(), token });
      expect(left).toContain('{"status":"success"}');
      // It learns of the sign-out by a stream, or by a poll every ten seconds.
      for (let turn = 0; turn < 120 && statusesIn(left)[0] === 200; turn++) {
        await Bun.sleep(250);
        left = await paste(here(leave), example.folder, { ...service.env(), token });
      }
      expect(statusesIn(left)).toEqual([401]);
      expect(left).toContain('"code":"token_revoked"');
      expect(left).toMatch(/www-authenticate: Bearer error="invalid_token"/i);
    });

    test("serves public routes to anybody, and refuses requests without a token in the error envelope", async () => {
      expect(await (await fetch(running.url)).json()).toEqual({ message: "Open to everybody." });
      const response = await fetch(`${running.url}/me`);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe("Bearer");
      expect(await response.json()).toEqual({
        error: {
          code: "authentication_required",
          message: expect.any(String),
          type: "authentication_error",
          request_id: null,
          details: null,
        },
      });
    });

    test("refuses tokens for another audience, tampered tokens and other texts", async () => {
      const good = await tokenOf(service.applicationId(), `good@${service.name}.example`);
      expect((await me(good)).status).toBe(200);
      const elsewhere = await tokenOf(otherApplicationId, `elsewhere@${service.name}.example`);
      const [header, , signature] = good.split(".");
      for (const token of [elsewhere, `${header}.${elsewhere.split(".")[1]}.${signature}`, "nothing"]) {
        const response = await me(token);
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toStartWith('Bearer error="invalid_token"');
        expect(await response.json()).toMatchObject({ error: { code: "authentication_required" } });
      }
    });
  });
}

describe("cron-m2m", () => {
  test("counts the users with the client from its README, and needs exactly its scope", async () => {
    const example = await workshop.npmExample("cron-m2m");
    const cli = `${process.execPath} run ${join(ROOT, "src/main.ts")}`;
    const [make = "", run = ""] = example.blocks;
    const wanted = (line: string) => !/^(npm run build|export SALLYPORT_DATA|cd )/.test(line);
    const script = `${make}${run}`.split("\n").filter(wanted).join("\n").replaceAll("dist/sallyport", cli);
    await tokenOf(made.applicationId, "somebody@cron.example");
    const output = await paste(script.replaceAll("http://localhost:8080", url), example.folder, made.env);
    const { data } = (await (
      await fetch(`${url}/v1/users?limit=100`, { headers: { authorization: `Bearer ${made.secretKey}` } })
    ).json()) as { data: unknown[] };
    expect(output.trim().split("\n").at(-1)).toBe(`${data.length} users, ${data.length} of them new since yesterday`);
    const client = /SALLYPORT_M2M_CLIENT_ID=(.+)/.exec(await readFile(join(example.folder, ".env"), "utf8"))?.[1] ?? "";
    await paste(`${cli} app grant ${client} --audience management --scope sessions:read`, example.folder, made.env);
    await expect(succeed(["npm", "start"], example.folder)).rejects.toThrow("insufficient_scope");
  });
});

test("the example in TypeScript type-checks against the packed declarations", async () => {
  const { folder } = await workshop.npmExample("hono-bun", ["hono"]);
  const options = ["--ignoreConfig", "--strict", "--noEmit", "--module", "esnext", "--moduleResolution", "bundler"];
  const types = [
    "--target",
    "esnext",
    "--skipLibCheck",
    "--types",
    "bun",
    "--typeRoots",
    join(ROOT, "node_modules/@types"),
  ];
  await succeed([join(ROOT, "node_modules/.bin/tsc"), ...options, ...types, "index.ts"], folder);
});

test.each(["express-api", "hono-bun", "cron-m2m"])("%s requires versions that it was tested with", async (name) => {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, "test/examples", name, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const readme = await readFile(join(ROOT, "test/examples", name, "README.md"), "utf8");
  for (const [dependency, range] of Object.entries(dependencies)) {
    const file = dependency === "sallyport" ? "package.json" : `node_modules/${dependency}/package.json`;
    const { version } = JSON.parse(await readFile(join(ROOT, file), "utf8")) as { version: string };
    expect([dependency, range, Bun.semver.satisfies(version, range)]).toEqual([dependency, range, true]);
    if (dependency === "sallyport") expect(readme).toContain(`/sallyport-${version}.tgz`);
  }
});

function statusesIn(output: string): number[] {
  return [...output.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

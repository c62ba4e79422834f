import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { DevRun, directoryInClone, removeDirectoriesInClone } from "../../support/dev-run.ts";
import { eventually } from "../../support/eventually.ts";

setDefaultTimeout(120_000);
afterAll(removeDirectoriesInClone);

const PASSWORD = "five tame otters hum at dawn";

/** Uses `dev` as a page, a person and a backend would. @returns every secret that occurred */
async function use(run: DevRun): Promise<string[]> {
  const send = async (path: string, body: object, headers: Record<string, string> = {}) => {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    };
    return (await (await fetch(run.url + path, init)).json()) as Record<string, string>;
  };
  const ada = { email: "ada@example.com", password: PASSWORD };
  const made = await send("/v1/auth/register", ada);
  await send("/v1/auth/login", { ...ada, password: "a wrong one, of many words" });
  await send("/v1/auth/login?next=/secret-page", ada, { origin: "https://shop.example.com" });
  await send("/v1/auth/password/forgot", { email: ada.email });
  await fetch(`${run.url}/healthz`);
  const stop = new AbortController();
  await fetch(`${run.url}/v1/revocations/stream`, { signal: stop.signal });
  stop.abort();
  const key = run.exports().SALLYPORT_API_KEY ?? "";
  const bearer = { authorization: `Bearer ${key}` };
  const created = await send("/v1/api-keys", { name: "billing-worker", scopes: ["users:read"] }, bearer);
  return [PASSWORD, "a wrong one", "secret-page", key, made.access_token, made.refresh_token, created.secret].map(
    String,
  );
}

describe("dev on a terminal", () => {
  test("shows each request on a line, with its mails and the fix for a refused origin below it", async () => {
    const run = await DevRun.start(directoryInClone(), { terminal: true });
    const start = run.output;
    const secrets = await use(run);
    await eventually(() => expect(run.output).toContain("billing-worker"));
    await eventually(() => expect(run.output).toContain("closed by the client"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours
    const told = run.output.slice(start.length).replaceAll(/\u001b\[\d+m/g, "");
    const line = (where: string, rest: string) => new RegExp(`^  \\d\\d:\\d\\d:\\d\\d  ${where} .*${rest}$`, "m");
    expect(told).toMatch(line("POST  /v1/auth/register", "201 .* usr_[0-9A-Z]{26} signed up by password"));
    expect(told).toMatch(line("POST  /v1/auth/login", "401 .* invalid_credentials, .+"));
    expect(told).toMatch(line("POST  /v1/auth/login", "403 .* origin_not_allowed, https://shop.example.com"));
    expect(told).toMatch(/^ {12}mail {2}to ada@example\.com +link and code \d{4} \d{4}, "/m);
    expect(told).toMatch(line("GET   /v1/revocations/stream", "200 +open"));
    expect(told).toMatch(
      line("POST  /v1/api-keys", '201 .* key_[0-9A-Z]{26} made by key_[0-9A-Z]{26} "billing-worker"'),
    );
    expect(told).not.toContain("healthz");
    for (const secret of secrets) expect(told).not.toContain(secret);

    const mend = /^ {12}mend {2}(npx sallyport app set .*)$/m.exec(told)?.[1] ?? "";
    expect(await run.paste(mend)).toMatchObject({ code: 0 });
    const login = { email: "ada@example.com", password: PASSWORD };
    await eventually(async () => {
      const headers = { "content-type": "application/json", origin: "https://shop.example.com" };
      const answer = await fetch(`${run.url}/v1/auth/login`, { method: "POST", headers, body: JSON.stringify(login) });
      expect(answer.status).toBe(200);
    });
    expect(await run.stop()).toBe(0);
  });

  test("has colours, except under NO_COLOR", async () => {
    for (const [env, coloured] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      const run = await DevRun.start(directoryInClone(), { terminal: true, env });
      await fetch(`${run.url}/nothing-here`);
      await eventually(() => expect(run.output).toContain("not_found"));
      expect(run.output.includes("\u001b[33m404")).toBe(coloured);
      await run.stop();
    }
  });
});

describe("dev without a terminal", () => {
  test("writes the same as JSON lines with names in snake_case", async () => {
    const run = await DevRun.start(directoryInClone());
    const secrets = await use(run);
    await eventually(() => expect(run.errors).toContain("api_key.created"));
    await eventually(() => expect(run.errors).toContain("Request closed"));
    for (const secret of secrets) expect(run.errors).not.toContain(secret);
    const lines = run.errors
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const common = { level: "info", time: expect.any(String), msg: "Request", address: "127.0.0.1", method: "POST" };
    const id = expect.stringMatching(/^[0-9a-f-]{36}$/);
    const timed = { ...common, ms: expect.any(Number), request_id: id, application_id: id };
    expect(lines).toContainEqual({
      ...timed,
      path: "/v1/auth/register",
      status: 201,
      acts: [
        { action: "user.created", actor: expect.stringMatching(/^usr_/), target: expect.stringMatching(/^usr_/) },
        { action: "session.created", actor: expect.stringMatching(/^usr_/), target: expect.stringMatching(/^ses_/) },
      ],
    });
    expect(lines).toContainEqual({
      ...timed,
      path: "/v1/auth/login",
      status: 403,
      code: "origin_not_allowed",
      reason: "https://shop.example.com",
      page: "https://shop.example.com",
      mend: expect.stringContaining("--add-origin https://shop.example.com"),
    });
    const code = expect.stringMatching(/^\d{4} \d{4}$/);
    const mail = { level: "info", time: expect.any(String), msg: "Mail", to: "ada@example.com", code };
    expect(lines).toContainEqual({ ...mail, subject: expect.any(String), link: expect.stringContaining("/link#") });
    expect(await run.stop()).toBe(0);
  });

  test("shows only failures at a higher log level", async () => {
    const run = await DevRun.start(directoryInClone(), { env: { SALLYPORT_LOG_LEVEL: "warn" } });
    await use(run);
    await run.stop();
    expect(run.errors).toBe("");
  });
});

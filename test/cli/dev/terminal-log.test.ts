import { describe, expect, test } from "bun:test";
import { COLOURS, NO_COLOURS, type Paint, paintFor } from "../../../src/cli/dev/paint.ts";
import { TerminalLog } from "../../../src/cli/dev/terminal-log.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { AnsweredRequest } from "../../../src/http/request-log.ts";
import type { AuditedAct } from "../../../src/identity/audit/watch.ts";
import type { CaughtMail } from "../../../src/mail/inbox.ts";

const USER = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
const USER_NAME = "usr_01HWY4MYSEFGESW2GZ5CY4TQKF";
const NOON = new Date(2026, 0, 31, 12, 0, 7).getTime();

/** @returns the log and its lines, without the time of day */
function open(options: { paint?: Paint; mend?: string } = {}) {
  const written: string[] = [];
  const log = new TerminalLog({
    write: (line) => written.push(line),
    paint: options.paint ?? NO_COLOURS,
    now: () => NOON,
    mendOf: ({ error }) => (error?.code === "origin_not_allowed" ? (options.mend ?? null) : null),
    isVerbose: false,
  });
  const lines = () => {
    log.flush();
    return written.map((line) => line.replace(/^ {2}12:00:07 {2}/, ""));
  };
  return { log, lines, written };
}

let count = 0;
const request = (more: Partial<AnsweredRequest> = {}): AnsweredRequest => ({
  requestId: `request-${count++}`,
  method: "POST",
  path: "/v1/auth/login",
  status: 200,
  ms: 11.4,
  address: "127.0.0.1",
  page: null,
  applicationId: null,
  error: null,
  isOpen: false,
  ...more,
});
const refused = (error: AppError, more: Partial<AnsweredRequest> = {}) =>
  request({ error, status: error.status, ...more });
const act = (requestId: string | null, action: string, more: Partial<AuditedAct> = {}): AuditedAct => ({
  requestId,
  action,
  actor: { kind: "user", id: USER },
  target: { kind: "user", id: USER },
  applicationId: null,
  details: {},
  ...more,
});
const mail = (more: Partial<CaughtMail>) =>
  ({ to: "ada@example.com", subject: "Your code", code: null, link: null, ...more }) as CaughtMail;

describe("a line for each request", () => {
  test("has time, method, path, status and duration in fixed columns", () => {
    const { log, written } = open();
    log.answered(request({ method: "GET", path: "/sign-in", ms: 6 }));
    expect(written).toEqual(["  12:00:07  GET   /sign-in                       200     6 ms"]);
  });

  test.each([
    ["user.created", { method: "password" }, `${USER_NAME} signed up by password`],
    ["session.created", { method: "email_code", aal: "aal1" }, `${USER_NAME} signed in by email_code, aal1`],
    ["password.changed", {}, `${USER_NAME} password changed`],
  ])("names the actor of %s", (action, details, text) => {
    const { log, lines } = open();
    const one = request();
    log.audited(act(one.requestId, action, { details }));
    log.answered(one);
    expect(lines()).toEqual([`POST  /v1/auth/login                 200    11 ms  ${text}`]);
  });

  test("shows a sign-up once, although it is also a sign-in", () => {
    const { log, lines } = open();
    const one = request();
    log.audited(act(one.requestId, "user.created", { details: { method: "password" } }));
    log.audited(act(one.requestId, "session.created", { details: { method: "password", aal: "aal1" } }));
    log.answered(one);
    expect(lines()[0]).toEndWith(`${USER_NAME} signed up by password`);
  });

  test("names a new key and its maker", () => {
    const { log, lines } = open();
    const one = request();
    const key = { kind: "key", id: USER } as const;
    const details = { name: "billing-worker", scopes: ["users:read"] };
    log.audited(act(one.requestId, "api_key.created", { actor: key, target: { kind: "api_key", id: USER }, details }));
    log.answered(one);
    const name = USER_NAME.replace("usr", "key");
    expect(lines()[0]).toEndWith(`${name} made by ${name} "billing-worker"`);
  });

  test("puts an act without a request on its own line", () => {
    const { log, lines } = open();
    const one = request();
    log.answered(one);
    log.audited(act(null, "signing_key.created", { actor: { kind: "system", id: null }, target: null }));
    log.audited(act(one.requestId, "session.ended"));
    expect(lines().slice(1)).toEqual(["act   system signing key created", `act   ${USER_NAME} session ended`]);
  });

  test("shortens ids, and shows no query", () => {
    const { log, lines } = open();
    log.answered(request({ method: "DELETE", path: `/v1/users/${USER}/${USER_NAME}` }));
    expect(lines()[0]).toStartWith("DEL   /v1/users/018f3c4a-7b2…/usr_01HWY4MY… ");
  });

  test("leaves out assets, probes and polls, unless they fail", () => {
    const { log, lines } = open();
    const quiet = [
      "/assets/try-1a2b.css",
      "/healthz",
      "/readyz",
      "/favicon.svg",
      "/dev/inbox.json",
      "/dev/inbox/1",
      "/try/state",
    ];
    for (const path of quiet) log.answered(request({ method: "GET", path }));
    expect(lines()).toEqual([]);
    for (const path of ["/try", "/dev/inbox", "/openapi.json"]) log.answered(request({ method: "GET", path }));
    log.answered(request({ method: "GET", path: "/healthz", status: 503 }));
    expect(lines().filter((line) => !line.startsWith(" "))).toHaveLength(4);
  });
});

describe("a refusal", () => {
  const two = [
    { path: "scopes", reason: "needs one" },
    { path: "", reason: "is empty" },
  ];
  const wait = (seconds: number) => new AppError("rate_limited", { retryAfter: seconds });
  test.each<[string, () => AppError]>([
    ["invalid_credentials, Wrong.", () => new AppError("invalid_credentials", { message: "Wrong." })],
    ["invalid_input, scopes: needs one; is empty", () => new AppError("invalid_input", { details: two })],
    [
      "insufficient_scope, the credential lacks users:read",
      () => new AppError("insufficient_scope", { details: { scope: "users:read" } }),
    ],
    ["rate_limited, from 127.0.0.1, again in 8 min", () => wait(480)],
    ["rate_limited, from 127.0.0.1, again in 30 s", () => wait(30)],
  ])("shows its code and its meaning: %s", (text, errorOf) => {
    const { log, lines } = open();
    log.answered(refused(errorOf()));
    expect(lines()[0]).toEndWith(`ms  ${text}`);
  });

  test("of a page shows the command that allows the page", () => {
    const { log, lines } = open({ mend: "npx sallyport app set app_1 --add-origin https://shop.example.com" });
    log.answered(refused(new AppError("origin_not_allowed"), { method: "OPTIONS", page: "https://shop.example.com" }));
    expect(lines()).toEqual([
      "OPTS  /v1/auth/login                 403    11 ms  origin_not_allowed, https://shop.example.com",
      "            mend  npx sallyport app set app_1 --add-origin https://shop.example.com",
    ]);
  });

  test("because of a server fault has the id of the request and the cause below it", () => {
    const { log, lines } = open();
    const one = refused(new AppError("internal_error", { message: "public" }));
    log.log.error({ request_id: one.requestId, err: new Error("the disk is gone\n  at somewhere") }, "public");
    log.answered(one);
    expect(lines()).toEqual([
      "POST  /v1/auth/login                 500    11 ms  internal_error",
      `            id    ${one.requestId}`,
      "            why   the disk is gone",
    ]);
  });
});

describe("a streamed answer", () => {
  test("has a line when it opens and one when it ends", () => {
    const { log, lines } = open();
    const stream = request({ method: "GET", path: "/v1/revocations/stream" });
    log.answered({ ...stream, isOpen: true });
    log.closed({ ...stream, ms: 242_000, closedBy: "client" });
    expect(lines()).toEqual([
      "GET   /v1/revocations/stream         200     open",
      "GET   /v1/revocations/stream         200    4 min  closed by the client",
    ]);
  });
});

describe("a mail", () => {
  test("stands below its request, with its code and link", () => {
    const { log, lines } = open();
    log.caught(mail({ code: "1234 5678", link: "http://localhost:8080/link#sally_ml_1" }));
    log.caught(mail({ code: "1234 5678" }));
    log.caught(mail({ subject: "Your password was changed" }));
    expect(lines()).toEqual([
      '            mail  to ada@example.com             link and code 1234 5678, "Your code"',
      "                  http://localhost:8080/link#sally_ml_1",
      '            mail  to ada@example.com             code 1234 5678, "Your code"',
      '            mail  to ada@example.com             "Your password was changed"',
    ]);
  });
});

describe("repeated lines", () => {
  const poll = () => request({ method: "GET", path: "/openapi.json", ms: count });

  test("are counted", () => {
    const { log, lines } = open();
    for (let i = 0; i < 10; i++) log.answered(poll());
    log.answered(request());
    expect(lines()).toEqual([
      expect.stringContaining("/openapi.json"),
      "            … 9 more like it",
      expect.stringContaining("/v1/auth/login"),
    ]);
  });

  test("two requests have two lines, and another status has another line", () => {
    const { log, lines } = open();
    for (const status of [200, 200, 304]) log.answered({ ...poll(), status });
    expect(lines()).toHaveLength(3);
  });

  test("are shown after a second, even without another line", async () => {
    const { log, written } = open();
    for (let i = 0; i < 3; i++) log.answered(poll());
    expect(written).toHaveLength(1);
    await Bun.sleep(1_300);
    expect(written.at(-1)).toEndWith("… 2 more like it");
  });

  test("are not joined across a mail or a failed request", () => {
    const { log, lines } = open();
    log.answered(poll());
    log.caught(mail({}));
    log.answered(poll());
    for (let i = 0; i < 2; i++) log.answered(refused(new AppError("internal_error")));
    expect(lines().filter((line) => line.includes(" id "))).toHaveLength(2);
  });
});

describe("on a terminal", () => {
  test("colours add nothing to the text, and NO_COLOR switches them off", () => {
    expect(paintFor(true, {})).toBe(COLOURS);
    expect(paintFor(true, { NO_COLOR: "" })).toBe(COLOURS);
    expect(paintFor(true, { NO_COLOR: "1" })).toBe(NO_COLOURS);
    expect(paintFor(false, {})).toBe(NO_COLOURS);
    const { log, lines } = open({ paint: COLOURS });
    const plain = open();
    for (const status of [200, 404, 500]) {
      const one = request({ status });
      log.answered(one);
      plain.log.answered(one);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them
    expect(lines().map((line) => line.replaceAll(/\u001b\[\d+m/g, ""))).toEqual(plain.lines());
    expect(lines().filter((line) => line.includes("\u001b[33m"))).toHaveLength(1);
    expect(lines().filter((line) => line.includes("\u001b[31m"))).toHaveLength(1);
  });

  test("no text of a caller can repaint the terminal or begin a line", () => {
    const evil = "\u001b[2Jx\r\n\u009b31m\u2028\u202e";
    const { log, written } = open();
    const one = request();
    log.audited(
      act(one.requestId, "api_key.created", { details: { name: evil }, target: { kind: "api_key", id: USER } }),
    );
    log.answered(one);
    log.answered(refused(new AppError("origin_not_allowed"), { page: evil }));
    log.answered(refused(new AppError("invalid_input", { details: [{ path: evil, reason: evil }] })));
    log.caught(mail({ to: evil, subject: evil, link: evil }));
    log.log.warn({ err: new Error(evil) }, evil);
    log.flush();
    expect(written.join("")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});

import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { EXECUTABLE, type Prepared, prepare, type Running, sallyport, start, tidy } from "../support/cli.ts";
import { jwks, refresh, session, signIn, signUp } from "../support/people.ts";
import { testIf } from "../support/report.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

const program = EXECUTABLE;
const LIBRARY = [...new Glob("/usr/lib/*/faketime/libfaketimeMT.so.1").scanSync("/")][0];
const clockTest = testIf(LIBRARY !== undefined, "needs libfaketime");

const HOUR = 3_600;
const DAY = 24 * HOUR;

interface Shifted {
  made: Prepared;
  server: Running;
  /** Sets the clock of the running server to this many seconds beside the clock of the machine. */
  shift(seconds: number): void;
}

async function startShifted(settings: Record<string, string> = {}, ...set: string[]): Promise<Shifted> {
  const made = await prepare({ program });
  if (set.length > 0) {
    const changed = await sallyport(["app", "set", made.defaultApplicationId, ...set], { program, env: made.env });
    if (changed.code !== 0) throw new Error(changed.stderr);
  }
  const file = join(made.directory, "clock");
  const shift = (seconds: number) => {
    // Renames in one step, because the server reads the file whenever it asks for the time.
    writeFileSync(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    renameSync(`${file}.new`, file);
  };
  shift(0);
  const env = {
    ...made.env,
    ...settings,
    LD_PRELOAD: LIBRARY ?? "",
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
  return { made, server: await start(["serve", "--port", "0"], { program, env }), shift };
}

const WRONG = "wrong password, many words";

for (const [name, seconds] of [
  ["an hour", HOUR],
  ["a day", DAY],
] as const) {
  clockTest(`an expired token stays expired when the clock goes ${name} ahead and back before its issue`, async () => {
    const { server, shift } = await startShifted({}, "--access-token-ttl", "10m", "--refresh-idle-ttl", "30m");
    shift(seconds);
    const { body } = await signUp(server.url, "ada@example.com");
    expect((await session(server.url, body.access_token)).status).toBe(200);
    shift(2 * seconds);
    expect((await session(server.url, body.access_token)).status).toBe(401);
    expect((await refresh(server.url, body.refresh_token)).status).toBe(401);
    shift(0);
    expect({
      access: (await session(server.url, body.access_token)).status,
      refresh: (await refresh(server.url, body.refresh_token)).status,
    }).toEqual({ access: 401, refresh: 401 });
    shift(-seconds);
    expect((await session(server.url, body.access_token)).status).toBe(401);
    expect(await server.stop()).toBe(0);
  });

  clockTest(`rate limits neither freeze nor lock users out when the clock jumps by ${name}`, async () => {
    const { server, shift } = await startShifted({ SALLYPORT_LIMIT_ACCOUNT: "3/10m" });
    await signUp(server.url, "ada@example.com");
    const exhaust = async () => {
      const seen: number[] = [];
      for (let attempt = 0; attempt < 4; attempt++) {
        seen.push((await signIn(server.url, "ada@example.com", WRONG)).status);
      }
      return seen;
    };
    const counted = [401, 401, 401, 429];
    expect(await exhaust()).toEqual(counted);
    // Ahead: the window ends, and a new count begins. Back: the later window locks nobody out, and no new count begins.
    const single = [401, 429, 429, 429];
    for (const [offset, seen] of [
      [seconds, counted],
      [0, single],
      [-seconds, single],
      [seconds, counted],
    ] as const) {
      shift(offset);
      expect({ offset, seen: await exhaust() }).toEqual({ offset, seen: [...seen] });
    }
    shift(2 * seconds);
    expect((await signIn(server.url, "ada@example.com")).status).toBe(200);
    expect(await server.stop()).toBe(0);
  });

  clockTest(
    `sign-in, keys and new tokens keep working when the clock jumps by ${name}, even across a restart`,
    async () => {
      const { made, server, shift } = await startShifted();
      const { body } = await signUp(server.url, "ada@example.com");
      for (const offset of [seconds, 0, -seconds]) {
        shift(offset);
        const { status, body: tokens } = await signIn(server.url, "ada@example.com");
        expect({ offset, status }).toEqual({ offset, status: 200 });
        expect((await session(server.url, tokens.access_token)).status).toBe(200);
        expect((await refresh(server.url, tokens.refresh_token)).status).toBe(200);
        expect((await jwks(server.url)).body.keys.length).toBeGreaterThan(0);
      }
      shift(seconds);
      expect((await refresh(server.url, body.refresh_token)).status).toBe(200);
      // The previous token, after any grace period: it is a copy, whatever the clock says.
      shift(2 * seconds);
      expect((await refresh(server.url, body.refresh_token)).status).toBe(401);
      expect(await server.stop()).toBe(0);
      const again = await start(["serve", "--port", "0"], { program, env: made.env });
      expect((await signIn(again.url, "ada@example.com")).status).toBe(200);
      expect((await refresh(again.url, body.refresh_token)).status).toBe(401);
      await again.stop();
    },
  );
}

import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { EXECUTABLE, prepare, start, tidy } from "../support/cli.ts";
import { signIn } from "../support/people.ts";
import { Ledger } from "./crash/ledger.ts";
import { enter, startLoad } from "./crash/load.ts";
import { verify } from "./crash/verify.ts";

afterAll(tidy);

const ROUNDS = Number(process.env.SALLYPORT_TEST_CRASHES || 50);
const CLIENTS = 5;
const program = EXECUTABLE;

/** Loose limits, because the load acts as hundreds of users from one address. */
const ROOMY = {
  SALLYPORT_LIMIT_SIGN_UP: "1000000/1s",
  SALLYPORT_LIMIT_NETWORK: "1000000/1s",
  SALLYPORT_LIMIT_ACCOUNT: "1000000/1s",
  SALLYPORT_LIMIT_ACCOUNT_TOTAL: "1000000/1s",
};

test(`after kill -9 under load, ${ROUNDS} times, no acknowledged write is lost and spent tokens stay spent`, async () => {
  const made = await prepare({ program });
  const env = { ...made.env, ...ROOMY };
  const ledger = new Ledger();
  let underLoad = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const server = await start(["serve", "--port", "0"], { program, env });
    if (round === 0) {
      for (let client = 0; client < CLIENTS; client++) await enter(server.url, ledger, `client-${client}@example.com`);
    }
    expect({ round, problems: await verify(server.url, made.secretKey, ledger) }).toEqual({ round, problems: [] });
    if (round === ROUNDS) {
      // Each user can sign in, and is not merely listed.
      for (const email of ledger.users) {
        expect({ email, status: (await signIn(server.url, email)).status }).toEqual({ email, status: 200 });
      }
      expect(await server.stop()).toBe(0);
      break;
    }
    const before = ledger.refreshes;
    const load = startLoad(server.url, ledger, round);
    load.catch(() => undefined);
    // A random time, which sometimes hits a checkpoint, a commit or a flush.
    await Bun.sleep(100 + Math.random() * 300);
    expect(await server.stop("SIGKILL")).toBe(-1);
    await load;
    underLoad += ledger.refreshes - before;
  }
  expect(underLoad).toBeGreaterThan(ROUNDS);
  const database = new Database(join(made.data, "sallyport.db"), { readonly: true });
  expect(database.query("PRAGMA integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  expect(database.query("PRAGMA foreign_key_check").all()).toEqual([]);
  database.close();
}, 600_000);

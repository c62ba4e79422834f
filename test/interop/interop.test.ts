import { afterAll, beforeAll, expect, test } from "bun:test";
import { ALGORITHMS, TABLE, tableOf } from "./algorithms.ts";
import { type Appliance, startAppliance } from "./appliance.ts";
import { type Report, runTogether } from "./programs.ts";
import { missingFor, programs } from "./toolchains.ts";

/**
 * Runs real programs in other languages, with common JWT libraries, against the compiled executable. The programs are also the
 * documentation for those languages: see README.md.
 */
const CHECKS = [
  "signs up",
  "accepts a token that expires soon",
  "refuses another application's token",
  "signs in",
  "refreshes",
  "verifies by the root JWKS",
  "verifies by the shortest snippet",
  "refuses a tampered token",
  "refuses another tenant's token",
  "refuses a refresh token, however lax",
  "survives a key rotation",
  "says which algorithms it verifies",
  "refuses an expired token",
];

const missing = new Map(programs.map((program) => [program, missingFor(program).join(", ")]));
// A laptop may lack a language, but CI must have all of them.
const present = programs.filter((program) => process.env.CI || !missing.get(program));
const absent = programs.filter((program) => !present.includes(program));

let appliance: Appliance | undefined;
const reports = new Map<string, Report>();

/** The shortest lifetime of an access token, because the tests wait until real tokens expire. */
const SHORT_LIVED = "10s";

beforeAll(async () => {
  if (present.length === 0) return;
  const commands = new Map<string, string[]>();
  await Promise.all(
    present.map(async (program) => {
      try {
        if (missing.get(program)) throw new Error(`${missing.get(program)} not found`);
        commands.set(program.library, await program.prepare());
      } catch (error) {
        const errors = (error as Error).message;
        reports.set(program.library, { checks: [], versions: "", algorithms: new Map(), exitCode: -1, errors });
      }
    }),
  );
  const live = await startAppliance();
  appliance = live;
  await live.command("tenant", "create", "neighbour");
  const create = async (name: string, ...flags: string[]): Promise<string> => {
    const app = JSON.parse(await live.command("app", "create", "--name", name, ...flags, "--json")) as { id: string };
    return app.id;
  };
  const algorithmApps: Record<string, string> = {};
  for (const algorithm of ALGORITHMS) algorithmApps[algorithm] = await create(algorithm, "--algorithm", algorithm);
  const env = {
    ...process.env,
    SALLYPORT_URL: live.url,
    SALLYPORT_API_AUDIENCE: `${live.url}/api/${live.defaultApplicationId}`,
    SALLYPORT_OTHER_TENANT_URL: `${live.url}/t/neighbour`,
    SALLYPORT_SHORT_LIVED_APP_ID: await create("Brief", "--algorithm", "RS256", "--access-token-ttl", SHORT_LIVED),
    SALLYPORT_ALGORITHM_APP_IDS: JSON.stringify(algorithmApps),
  };
  const ran = await runTogether(commands, env, () => live.command("keys", "rotate", "--now"));
  for (const [library, report] of ran) reports.set(library, report);
}, 600_000);

afterAll(async () => {
  await appliance?.stop();
  const width = Math.max(...programs.map(({ library }) => library.length));
  const lines = programs.flatMap(({ library }) => [
    `${library.padEnd(width)}  ${resultOf(library)}`,
    ...[...(reports.get(library)?.algorithms ?? [])].map(([name, outcome]) => `  ${name} ${outcome}`),
  ]);
  console.log(lines.join("\n"));
});

function resultOf(library: string): string {
  const report = reports.get(library);
  if (!report) return "not run";
  const holding = report.checks.filter((line) => line.startsWith("ok ")).length;
  if (holding === CHECKS.length && report.exitCode === 0) return `${holding} checks hold`;
  const refusal = report.checks.find((line) => !line.startsWith("ok ")) ?? report.errors.trim().split("\n").at(-1);
  return `${holding} checks hold, then: ${refusal || `it ended with ${report.exitCode}`}`;
}

for (const { library } of present) {
  test(`${library} signs in and verifies against a live appliance`, () => {
    const report = reports.get(library);
    expect(report?.errors).toBe("");
    expect(report?.checks).toEqual(CHECKS.map((check) => `ok ${check}`));
    expect(report?.exitCode).toBe(0);
  });
}

test.skipIf(present.length === 0)("algorithms.md shows the measured results", async () => {
  const committed = await Bun.file(TABLE).text();
  const { text, notes } = tableOf(reports, committed);
  console.log([text, ...notes].join("\n"));
  if (process.env.SALLYPORT_INTEROP_WRITE) await Bun.write(TABLE, text);
  else expect(text).toBe(committed);
});

for (const program of absent) {
  test.skip(`${program.library}: ${missing.get(program)} not found`, () => undefined);
}

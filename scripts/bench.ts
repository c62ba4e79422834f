/**
 * Measures speed as ratios against floors that do the same necessary work, side by side in the same run. On a quiet machine it
 * takes less than eight minutes, and with `--quick` three. Rows of PostgreSQL have `-postgres` after the name of their row of SQLite.
 *
 *   npm run bench [-- --quick] [-- --only session,refresh-postgres] [-- --pairs 9] [-- --ms 2000] [-- --peers]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { delayedFlushRow } from "./bench/disk-row.ts";
import { type Bench, countedWork, httpRows, runHttpRows } from "./bench/http-rows.ts";
import { Loader } from "./bench/loader.ts";
import { peerRows } from "./bench/peers.ts";
import { hasPostgres, type PostgresSeed, seedPostgres } from "./bench/postgres.ts";
import { processRows } from "./bench/process-rows.ts";
import { freePort, usesExecutable } from "./bench/processes.ts";
import { printTable, type Row } from "./bench/result.ts";
import { seed as makeSeed } from "./bench/seed.ts";
import { verifyRows } from "./bench/verify-rows.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    pairs: { type: "string" },
    ms: { type: "string" },
    peers: { type: "boolean", default: false },
  },
});
const only = values.only?.split(",");
const wanted = (name: string) => only === undefined || only.includes(name);

const directory = mkdtempSync(join(tmpdir(), "sallyport-bench-"));
const loader = new Loader();
let postgres: PostgresSeed | null = null;
const rows: Row[] = [];
const print = (row: Row) => {
  rows.push(row);
  console.log(`${row.work}: ${row.ours} against ${row.floor}, ${row.ratio} (at least ${row.atLeast})`);
  if (row.note) console.log(`  ${row.note}`);
};
try {
  const chosen = httpRows.filter(({ name, database }) => wanted(name) && (database === "sqlite" || hasPostgres));
  if (!hasPostgres) console.log("The rows of PostgreSQL need its server, which is not installed.");
  const pairs = Number(values.pairs ?? (values.quick ? 3 : 5));
  const count = values.quick ? 2_000 : 5_000;
  const seed = await makeSeed(directory, freePort(), countedWork(chosen, pairs, count));
  const seedFile = join(directory, "seed.json");
  writeFileSync(seedFile, JSON.stringify(seed), { mode: 0o600 });
  if (chosen.some(({ database }) => database === "postgres")) postgres = await seedPostgres(seed);
  console.log(
    `Ours runs ${usesExecutable ? "as dist/sallyport" : "from source (npm run build makes dist/sallyport)"}.`,
  );
  const bench: Bench = {
    seed,
    seedFile,
    postgres,
    loader,
    pairs,
    count,
    ms: Number(values.ms ?? (values.quick ? 500 : 1_000)),
  };
  const requests = values.quick ? 200_000 : 1_000_000;
  await runHttpRows(bench, chosen, print);
  if (wanted("verify")) for (const row of await verifyRows(bench, directory)) print(row);
  if (wanted("process")) for (const row of await processRows(bench, directory, requests)) print(row);
  if (wanted("flush")) {
    const row = await delayedFlushRow(bench);
    if (row) print(row);
    else console.log("The row of delayed flushes needs strace, which is not installed.");
  }
  if (values.peers) {
    const found = await peerRows(bench, directory);
    if (typeof found === "string") console.log(found);
    else for (const row of found) print(row);
  }
} finally {
  loader.stop();
  await postgres?.stop();
  rmSync(directory, { recursive: true, force: true });
}
console.log("");
printTable(rows);
console.log(`\n${(performance.now() / 60_000).toFixed(1)} minutes.`);

import { join } from "node:path";
import type { Bench } from "./http-rows.ts";
import { LOAD_CORE, startOurs } from "./processes.ts";
import { type Row, textOfRatio } from "./result.ts";
import type { VerifyFigures } from "./verify.ts";

/** Measures `verifyToken` as an integrator runs it: on Bun from source, on Node from a bundle. */
export async function verifyRows(bench: Bench, directory: string): Promise<Row[]> {
  const source = join(import.meta.dir, "verify.ts");
  const bundle = join(directory, "verify.mjs");
  const built = await Bun.build({ entrypoints: [source], target: "node", format: "esm" });
  await Bun.write(bundle, (await built.outputs[0]?.text()) ?? "");
  const ours = await startOurs(bench.seed);
  try {
    const rows: Row[] = [];
    for (const [runtime, command] of [
      ["Bun", [process.execPath, "run", source]],
      ["Node", ["node", bundle]],
    ] as const) {
      if (Bun.which(command[0]) === null && runtime === "Node") continue;
      const child = Bun.spawn(["taskset", "-c", LOAD_CORE, ...command, bench.seedFile, String(bench.pairs)], {
        stdout: "pipe",
        stderr: "inherit",
      });
      const figures = JSON.parse(await new Response(child.stdout).text()) as VerifyFigures;
      const add = (key: string, work: string, least: number | null) => {
        const figure = figures[key];
        if (!figure) return;
        rows.push({
          work: `${work}, ${runtime}`,
          ours: `${figure.ours.toFixed(1)} µs CPU`,
          floor: `${figure.floor.toFixed(1)} µs CPU`,
          ratio: textOfRatio(figure),
          atLeast: least?.toFixed(2) ?? "",
          holds: least === null ? null : figure.median >= least,
        });
      };
      add("first", "verifyToken, first sight", 0.8);
      add("seen", "verifyToken, seen before", 0.6);
      add("web", "verifyToken, first sight, WebCrypto", 0.8);
    }
    return rows;
  } finally {
    await ours.stop();
  }
}

/** A row of the table. */
export interface Row {
  work: string;
  ours: string;
  floor: string;
  /** Our figure relative to the floor. The last two columns judge it. */
  ratio: string;
  atLeast: string;
  /** null: no promise was made. */
  holds: boolean | null;
  note?: string;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

export function textOfRatio({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

export function rate(perSecond: number): string {
  return perSecond >= 10_000 ? `${(perSecond / 1_000).toFixed(1)}k/s` : `${perSecond.toFixed(0)}/s`;
}

export function printTable(rows: readonly Row[]): void {
  const head = ["work", "ours", "floor", "ratio (min–max)", "at least", "holds"];
  const cells = rows.map(({ work, ours, floor, ratio, atLeast, holds }) => {
    return [work, ours, floor, ratio, atLeast, holds === null ? "" : holds ? "yes" : "NO"];
  });
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  console.log(line(head));
  console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const row of cells) console.log(line(row));
  for (const { work, note } of rows) if (note) console.log(`  ${work}: ${note}`);
}

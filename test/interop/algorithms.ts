import { join } from "node:path";
import type { Report } from "./programs.ts";
import { type Program, programs } from "./toolchains.ts";

/** The signature algorithms of an application's tokens, the most widely known first. */
export const ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;

/** The committed table. */
export const TABLE = join(import.meta.dir, "algorithms.md");

const HEAD = `# JWT libraries and algorithms

Measured against a live appliance: **yes** means that the library's program here accepted a valid access token of an application
with this algorithm, by the JWKS of that application, and refused a tampered copy. This command generates the file:
\`SALLYPORT_INTEROP_WRITE=1 npm test -- test/interop\`. Without the variable, the test fails if the file is out of date.

| language | library | ${ALGORITHMS.join(" | ")} | measured with |
|---|---|${"---|".repeat(ALGORITHMS.length)}---|
`;

/**
 * Returns the table for the reports. A row stays if its program measured nothing, or if it uses the machine's libraries and
 * their version differs from the row: so a newer machine does not invalidate the committed file.
 *
 * @param committed the current table
 * @returns the text, and notes about rows that could not be compared
 */
export function tableOf(reports: ReadonlyMap<string, Report>, committed: string): { text: string; notes: string[] } {
  const notes: string[] = [];
  const rows = programs.map((program) => {
    const before = committed.split("\n").find((line) => line.startsWith(beginning(program)));
    const report = reports.get(program.library);
    if (!report || ALGORITHMS.some((name) => !report.algorithms.has(name))) return before ?? `${beginning(program)} ?`;
    const now = rowOf(program, report);
    if (!program.ofSystem || before === undefined || process.env.SALLYPORT_INTEROP_WRITE) return now;
    if (lastCell(before) === lastCell(now)) return now;
    notes.push(
      `not compared: ${program.library} here is ${lastCell(now)}, but the committed row has ${lastCell(before)}`,
    );
    return before;
  });
  return { text: `${HEAD}${rows.join("\n")}\n`, notes };
}

function rowOf(program: Program, report: Report): string {
  const cells = ALGORITHMS.map((name) => (report.algorithms.get(name) === "verified" ? "yes" : "no"));
  // Security updates of a distribution change only the rest of a version, which makes no difference here.
  const versions = program.ofSystem ? report.versions.replaceAll(/(\d+\.\d+)[.\w-]*/g, "$1") : report.versions;
  return `${beginning(program)} ${[...cells, versions].join(" | ")} |`;
}

const beginning = ({ language, library }: Program): string => `| ${language} | ${library} |`;

const lastCell = (row: string): string => row.split(" | ").at(-1)?.replace(/ \|$/, "") ?? "";

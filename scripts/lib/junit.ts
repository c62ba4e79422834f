/** The result of a test run. */
export interface Tally {
  passed: number;
  failed: number;
  /** The skipped tests, with their files and the reasons that they give (see test/support/report.ts). */
  skipped: Skip[];
}

export interface Skip {
  file: string;
  name: string;
  reason: string;
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function decode(text: string): string {
  return text.replace(/&(?:(lt|gt|quot|apos|amp)|#(\d+)|#x([0-9a-f]+));/gi, (_, name, decimal, hex) => {
    if (name) return ENTITIES[String(name).toLowerCase()] ?? "";
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(String(hex), 16));
  });
}

function attribute(tag: string, name: string): string {
  return decode(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

/** Counts the test cases of a junit report from Bun, which always escapes markup within attributes and texts. */
export function tally(xml: string): Tally {
  const result: Tally = { passed: 0, failed: 0, skipped: [] };
  for (const [, tag = "", body = ""] of xml.matchAll(
    /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    if (/<(failure|error)\b/.test(body)) result.failed++;
    else if (/<skipped\b/.test(body)) result.skipped.push(skipOf(tag));
    else result.passed++;
  }
  return result;
}

function skipOf(tag: string): Skip {
  const [, name, reason] = /^(.*?)(?: \[skipped: (.*)\])?$/s.exec(attribute(tag, "name")) ?? [];
  return { file: attribute(tag, "file"), name: name ?? "", reason: reason ?? "no reason given" };
}

/** Returns the closing line, which programs read. */
export function closingLine(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

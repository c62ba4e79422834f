/** A fenced block of a Markdown document. */
export interface Block {
  document: string;
  /** The line of the fence, counted from 1. */
  line: number;
  /** `sh`, `ts`, `json`, … */
  language: string;
  text: string;
  mark: Mark;
}

/**
 * A comment above a block, hidden on the page: `<!-- block: background -->`.
 * - `run`, without a comment: the block runs, type-checks or parses as shown.
 * - `background`: a server that keeps running during the document.
 * - `continues`: continues the previous code block and uses its names.
 * - `skip, REASON`: cannot run in a test.
 */
export type Mark = { kind: "run" | "background" | "continues" } | { kind: "skip"; reason: string };

const FENCE = /^```(\S*)\n([\s\S]*?)^```$/gm;
const COMMENT = /<!-- block: (.*?) -->\n$/;

/**
 * Reads all blocks of a document, in order.
 * @throws Error for a comment of another form
 */
export function blocksOf(document: string, text: string): Block[] {
  return [...text.matchAll(FENCE)].map(({ index, 1: language = "", 2: body = "" }) => {
    const line = text.slice(0, index).split("\n").length;
    const comment = COMMENT.exec(text.slice(0, index))?.[1];
    return { document, line, language, text: body, mark: markOf(comment, `${document}:${line}`) };
  });
}

function markOf(comment: string | undefined, where: string): Mark {
  if (comment === undefined) return { kind: "run" };
  if (comment === "background" || comment === "continues") return { kind: comment };
  const reason = /^skip, (\S.*)$/.exec(comment)?.[1];
  if (reason === undefined) throw new Error(`${where}: "${comment}" is not a valid mark of a block`);
  return { kind: "skip", reason };
}

/**
 * Returns the file name under which a reader saves a block: its first line says `// server.mjs` or `# sallyport.toml`.
 */
export function fileNameOf({ text }: Block): string | null {
  return /^(?:\/\/|#) ([\w-]+\.(?:mjs|ts|toml|txt))\n/.exec(text)?.[1] ?? null;
}

/**
 * Whether the text contains every line of the pattern, in this order. `…` matches anything, and white space matches
 * white space.
 */
export function matchesText(pattern: string, text: string): boolean {
  const lines = pattern.split("\n").filter((line) => line.trim() !== "");
  const source = lines.map((line) =>
    line
      .trim()
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"))
      .join("[^\\n]*"),
  );
  return new RegExp(source.join("[\\s\\S]*?")).test(text);
}

/** Whether the value has every member of the pattern. `"…"` matches any value. */
export function matchesJson(pattern: unknown, value: unknown): boolean {
  if (typeof pattern === "string" && pattern.includes("…")) {
    return pattern === "…" || (typeof value === "string" && matchesText(pattern, value));
  }
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((each, index) => matchesJson(each, value[index]));
  }
  if (typeof pattern === "object" && pattern !== null) {
    if (typeof value !== "object" || value === null) return false;
    const members = new Map(Object.entries(value));
    return Object.entries(pattern).every(([name, each]) => members.has(name) && matchesJson(each, members.get(name)));
  }
  return pattern === value;
}

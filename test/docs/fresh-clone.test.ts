import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Block, fileNameOf, matchesJson, matchesText } from "./support/blocks.ts";
import { allBlocks, documents, textOf } from "./support/documents.ts";
import { type FreshClone, freePorts, makeFreshClone } from "./support/fresh-clone.ts";
import { Session } from "./support/session.ts";
import { isCode, typeCheck } from "./support/type-check.ts";

/**
 * Follows the README and the guides like a newcomer: every block, in order, in a fresh clone with an empty home. The
 * README's first block installs the packages and starts the one appliance that all documents use.
 */
const LONG = 300_000;
/** The ports that the documents name: `dev`, the reader's own application, a second instance. */
const PORTS = [8080, 3000, 8081] as const;

/** Commands whose changes a running appliance adopts within three seconds, which is faster than a reader pastes. */
const CHANGES = /\bsallyport (app set|app grant|app secret|tenant set)\b/;
const ASKS = /\bcurl |\bnode \w+\.mjs/;
const FOLLOWS = 3_200;

const blocks = allBlocks();
let clone: FreshClone;
let ports: Map<number, number>;
/** The README's terminal. Its servers run until the end. */
let readme: Session;
/** The lines to paste, which the README's first block printed. */
let pasted = "";

beforeAll(async () => {
  clone = await makeFreshClone();
  ports = await freePorts(PORTS);
  clone.env.SALLYPORT_PORT = String(ports.get(8080));
  readme = new Session(join(clone.folder, "README"), clone.directory, clone.env);
}, LONG);

afterAll(async () => {
  await readme.end();
  rmSync(clone.folder, { recursive: true, force: true });
}, LONG);

function withPorts(text: string): string {
  return text.replace(/\b(8080|3000|8081)\b/g, (port) => String(ports.get(Number(port)) ?? port));
}

/**
 * Returns the statuses that a block promises: 2xx for each curl, unless a comment at the end of its line names another.
 */
function promisedStatuses(script: string): (number | "2xx")[] {
  const lines = script.replaceAll("\\\n", " ").split("\n");
  return lines.flatMap((line) => {
    const promised = /# (\d{3})\b/.exec(line)?.[1];
    const calls = [...line.matchAll(/\bcurl\s/g)];
    return calls.map((): number | "2xx" => (promised === undefined ? "2xx" : Number(promised)));
  });
}

/** Runs the shell blocks of a document in one terminal, and compares the outputs that the document shows. */
async function follow(document: string, session: Session, directory: () => Promise<string>): Promise<void> {
  let output: string | null = null;
  let hasChanged = false;
  for (const block of blocks.filter((each) => each.document === document && each.mark.kind !== "skip")) {
    const where = `${document}:${block.line}`;
    const text = withPorts(block.text);
    const name = fileNameOf(block);
    if (name !== null) writeFileSync(join(await directory(), name), text);
    else if (block.language === "sh" && block.mark.kind === "background") {
      output = await session.start(text);
      const exports = (output ?? "").match(/^ +export .*$/gm);
      if (exports !== null) {
        pasted = exports.join("\n");
        await session.run(pasted);
      }
    } else if (block.language === "sh") {
      if (hasChanged && ASKS.test(text)) await Bun.sleep(FOLLOWS);
      hasChanged = CHANGES.test(text);
      const ran = await session.run(text);
      const isPromised = promisedStatuses(text).map((promised, index) =>
        promised === "2xx" ? Math.floor((ran.statuses[index] ?? 0) / 100) === 2 : ran.statuses[index] === promised,
      );
      if (isPromised.includes(false))
        throw new Error(`${where}: curl answered ${ran.statuses}\n${text}\n${ran.stdout}`);
      output = ran.stdout;
    } else if (["text", "json"].includes(block.language) && !isShown(block.language, text, output)) {
      throw new Error(`${where}: the document shows\n${text}\nbut the output before it is\n${output}`);
    }
  }
}

function isShown(language: string, text: string, output: string | null): boolean {
  if (output === null) return false;
  return language === "json" ? matchesJson(JSON.parse(text), lastJson(output)) : matchesText(text, output);
}

/** Returns the last of the answers on a line. */
function lastJson(output: string): unknown {
  const line = output.trim().split("\n").at(-1) ?? "";
  return JSON.parse(line.replace(/^.*\}(?=\{)/, ""));
}

const directoryOf = (session: Session) => async () => (await session.run("pwd")).stdout.trim();

describe("in a fresh clone with an empty home", () => {
  test(
    "every shell block of the README works when pasted, from the first command on",
    async () => {
      await follow("README.md", readme, directoryOf(readme));
    },
    LONG,
  );

  test("every page of the appliance that a document names exists", async () => {
    const addresses = documents.flatMap((document) => [
      ...textOf(document).matchAll(/<(http:\/\/localhost:8080[^>]*)>/g),
    ]);
    const pages = [...new Set(addresses.map(([, address = ""]) => withPorts(address)))];
    expect(pages.length).toBeGreaterThan(1);
    const statuses = await Promise.all(pages.map(async (page) => `${page}: ${(await fetch(page)).status}`));
    expect(statuses).toEqual(pages.map((page) => `${page}: 200`));
  });

  for (const document of documents.slice(1)) {
    test(
      `every shell block of ${document} works when pasted`,
      async () => {
        const session = new Session(join(clone.folder, document.replaceAll("/", "-")), clone.directory, clone.env);
        try {
          if (blocks.some((block) => block.document === document && block.language === "sh")) await session.run(pasted);
          await follow(document, session, directoryOf(session));
        } finally {
          await session.end();
        }
      },
      LONG,
    );
  }

  test(
    "every code block type-checks against the packed SDK",
    async () => {
      const code = blocks.filter((block: Block) => isCode(block) && block.mark.kind !== "skip");
      const complaints = await typeCheck(join(clone.folder, "types"), code, {
        modules: join(clone.directory, "node_modules"),
        sdk: join(clone.folder, "notes/node_modules/sallyport"),
        tsc: join(clone.directory, "node_modules/.bin/tsc"),
      });
      expect(complaints).toBe("");
    },
    LONG,
  );
});

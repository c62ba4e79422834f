import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { ProcedureLike } from "../../scripts/generate/api-types.ts";
import { readRouter } from "../../scripts/generate/router.ts";
import { capture, ROOT } from "../../scripts/lib/run.ts";
import { AUDIT_ACTIONS } from "../../src/identity/audit/actions.ts";
import { documents, textOf } from "./support/documents.ts";

/** Checks that every name in the README and the guides exists, because a reader looks for it. */
const procedures = Object.values((await readRouter())._def.procedures as unknown as Record<string, ProcedureLike>);
const printed = await capture([process.execPath, "run", join(import.meta.dir, "support/help-child.ts")]);
/** The output of `--help`, by the name of the command: `app set`, `doctor`, … */
const helps = new Map(
  printed.output
    .split(/^=== /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf("\n")), part] as const),
);
const serveHelp = helps.get("serve") ?? "";

/** Returns `path:line: name` for each match that does not exist. */
function missing(pattern: RegExp, exists: (name: string, document: string) => boolean): string[] {
  return documents.flatMap((document) => {
    const text = textOf(document);
    return [...text.matchAll(pattern)]
      .filter(([, name = ""]) => !exists(name, document))
      .map(({ index, 1: name }) => `${document}:${text.slice(0, index).split("\n").length}: ${name}`);
  });
}

/** Returns the anchors that GitHub makes of headings. */
function anchorsOf(file: string): string[] {
  return [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe("the README and the guides name only existing", () => {
  test("links and anchors", () => {
    const isThere = (link: string, document: string) => {
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? join(ROOT, document) : join(ROOT, normalize(join(dirname(document), path)));
      return existsSync(file) && (anchor === undefined || anchorsOf(file).includes(anchor));
    };
    expect(missing(/\]\((?!https?:)([^)\s]+)\)/g, isThere)).toEqual([]);
  });

  test("files of the repository, including the tests of promises", () => {
    const pattern = /`((?:src|test|scripts|web)\/[\w./-]+\.\w+)`/g;
    expect(missing(pattern, (path) => existsSync(join(ROOT, path)))).toEqual([]);
  });

  test("calls of the API", () => {
    const paths = new Set(procedures.map(({ _def }) => addressOf(_def.meta)));
    const others = /^GET \/(openapi\.json|v1\/revocations(\/stream)?)$/;
    const calls = /`((?:GET|POST|PATCH|PUT|DELETE) \/[^`\s?]*)/g;
    expect(missing(calls, (call) => paths.has(call) || others.test(call))).toEqual([]);
  });

  test("settings, with the right defaults in the tables", () => {
    const sdk =
      /^SALLYPORT_(URL|TENANT_URL|APP_ID|API_AUDIENCE|API_KEY(_ID|_SECRET)?|M2M_CLIENT_(ID|SECRET)|TENANT_ID|SCREENSHOTS)$/;
    expect(missing(/\b(SALLYPORT_[A-Z_]+)\b/g, (name) => sdk.test(name) || serveHelp.includes(name))).toEqual([]);
    const rows = documents.flatMap((document) => [
      ...textOf(document).matchAll(/\| `([a-z_]+)` \| `(\d[\d/a-z]*)` \|/g),
    ]);
    expect(rows.length).toBeGreaterThan(5);
    for (const [, name = "", value = ""] of rows) {
      expect(serveHelp).toMatch(new RegExp(`SALLYPORT_${name.toUpperCase()}; default ${value}\\)`));
    }
  });

  test("commands and their flags", () => {
    const uses = documents.flatMap((document) => {
      const text = textOf(document).replaceAll("\\\n", " ");
      const lines = text.matchAll(/(?:npx (?:--prefix \S+ )?|\.\/|`)sallyport ([^\n`)|]+)/g);
      return [...lines].map(([, line = ""]) => ({
        where: `${document}: sallyport ${line}`,
        line,
        name: commandIn(line),
      }));
    });
    expect(uses.length).toBeGreaterThan(30);
    expect(uses.filter(({ name }) => name === undefined)).toEqual([]);
    const unknown = uses.flatMap(({ where, line, name = "" }) =>
      [...line.matchAll(/(?<= )--[a-z][a-z-]*/g)]
        .filter(([flag]) => flag !== "--help" && !helps.get(name)?.includes(`${flag} `))
        .map(([flag]) => `${where}: ${flag}`),
    );
    expect(unknown).toEqual([]);
  });

  test("audit actions", () => {
    const actions =
      /`((?:user|email|password|passkey|factor|proof|notice|sign_in|recovery_code|second_factor|trusted_device)\.[a-z_]+)`/g;
    expect(missing(actions, (name) => name in AUDIT_ACTIONS)).toEqual([]);
  });

  test("packages in the guide of dependencies: exactly those of package.json", () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    const named = new Set(
      [...textOf("web/docs/dependencies.md").matchAll(/`([@\w./-]+)`/g)].map(([, name = ""]) => name),
    );
    const packages = Object.keys(devDependencies).filter((name) => !name.startsWith("@types/"));
    expect(packages.filter((name) => !named.has(name))).toEqual([]);
  });
});

/** Returns `POST /v1/users`, or undefined for a procedure without REST. */
function addressOf(meta: unknown): string | undefined {
  const { rest } = meta as { rest?: { method: string; path: string } };
  return rest && `${rest.method} ${rest.path}`;
}

/** Returns the longest command that a line begins with. */
function commandIn(line: string): string | undefined {
  return [...helps.keys()].filter((name) => `${line} `.startsWith(`${name} `)).sort((a, b) => b.length - a.length)[0];
}

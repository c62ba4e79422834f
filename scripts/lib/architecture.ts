import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { JOINS, OWNERS } from "../../src/storage/owners.ts";
import type { Problems, SourceFile } from "./repository.ts";
import { importsOf, lineAt, type Scanned, scan } from "./source-text.ts";

/** The direct imports that a layer may have. It may also import the layers below these. Type imports count. */
const BELOW: Record<string, readonly string[]> = {
  main: ["cli"],
  cli: ["app"],
  app: ["http", "features"],
  http: ["rpc", "version"],
  features: ["rpc"],
  rpc: ["identity"],
  identity: ["mail", "storage", "crypto"],
  // The outbox is a table.
  mail: ["storage"],
  storage: ["core"],
  crypto: ["core", "jose"],
  core: [],
  version: [],
  // The rules of tokens and keys that the appliance and the SDK share. Only this layer is imported by both.
  sdk: ["jose"],
  jose: [],
  web: ["sdk"],
};

function reach(room: string): Set<string> {
  return new Set([room, ...(BELOW[room] ?? []).flatMap((below) => [...reach(below)])]);
}

/** Returns the layer of a path: `http` for `src/http/cookies.ts`, `app` for `src/app.ts`, `web` for `web/admin/main.tsx`. */
function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "src" ? second.replace(/\.tsx?$/, "") : top;
}

/** Returns `password` for `src/features/password/store.ts`, and undefined for the registry, `src/features/index.ts`. */
function featureOf(path: string): string | undefined {
  return /^src\/features\/([^/]+)\//.exec(path)?.[1];
}

interface Link {
  from: string;
  line: number;
  /** A path of the repository, or the name of a package. */
  to: string;
  isFile: boolean;
}

function linksOf({ path }: SourceFile, scanned: Scanned): Link[] {
  return importsOf(scanned).map(({ line, name }) => {
    const isFile = /^\.{1,2}\//.test(name);
    return { from: path, line, to: isFile ? posix.join(posix.dirname(path), name) : name, isFile };
  });
}

/** A page, stylesheet, picture or text that http embeds, and not code. */
const ASSET = /\.(html|css|svg|png|ico|txt|json|woff2)$/;
/** The files of http that embed a page's scripts as texts for browsers. http runs none of them. */
const EMBEDS_SCRIPTS = /^src\/http\/(\w+)-page\.ts$/;

/** The files that import zod itself: the lazy form of it, and the class of its errors. */
const BUILDS_SCHEMAS = /^src\/(core\/zod|rpc\/errors)\.ts$/;

const PRIVATE_STORE = /^(src\/identity\/[^/]+\/)(?:.*\/)?store\.ts$/;

function whyForbidden({ from, to, isFile }: Link): string | undefined {
  const room = roomOf(from);
  if (!isFile) return packageProblem(room, from, to);
  if (!/^(src|web)\//.test(to))
    return ASSET.test(to) ? undefined : `imports ${to}, which is not a part of the application`;
  const target = roomOf(to);
  if (!(room in BELOW)) return `belongs to no layer of the architecture guide`;
  if (room === "http" && (target === "web" || target === "sdk") && ASSET.test(to)) return undefined;
  if (target === "web" && to.startsWith(`web/${EMBEDS_SCRIPTS.exec(from)?.[1]}/`)) return undefined;
  if (!reach(room).has(target)) return `${room} must not import ${target} (${to})`;
  const store = PRIVATE_STORE.exec(to)?.[1];
  // identity.ts composes the layer, including its retention.
  if (store !== undefined && !from.startsWith(store) && from !== "src/identity/identity.ts") {
    return `imports ${to}, which is private to ${store}`;
  }
  const [own, other] = [featureOf(from), featureOf(to)];
  if (own !== undefined && target === "features" && own !== other) return `a feature must not import ${to}`;
  return undefined;
}

function packageProblem(room: string, from: string, name: string): string | undefined {
  if (name === "zod" && !BUILDS_SCHEMAS.test(from)) return "builds schemas at the start: import core/zod.ts";
  if (room === "jose") return `jose must run everywhere, but imports ${name}`;
  if (room !== "sdk" && room !== "web") return undefined;
  if (name === "bun" || name.startsWith("bun:")) return `${room} must run without Bun, but imports ${name}`;
  if (isBuiltin(name) && !name.startsWith("node:")) return `imports ${name} without node:`;
  return undefined;
}

interface TextRule {
  what: string;
  pattern: RegExp;
  except: RegExp;
}

const STORES = /(^src\/storage\/|\/store\.ts$)|^src\/sdk\//;

/** Rules for code only, with strings and comments blanked. */
const CODE_RULES: TextRule[] = [
  {
    what: "builds a query outside store.ts and storage/",
    pattern:
      /\bsql(?:<[^`;]*>)?\s*`|\.kysely\b|\.(selectFrom|insertInto|updateTable|deleteFrom|replaceInto|mergeInto)\s*\(|\bprepared\s*[(<]/g,
    except: STORES,
  },
  {
    what: "reads the environment outside cli/ and the configuration",
    pattern: /\b(process|Bun|import\.meta)\s*\.\s*env\b/g,
    // Some of the SDK's options default to environment variables, which one file reads.
    except: /^src\/main\.ts$|^src\/cli\/|^src\/core\/config[\w-]*\.ts$|^src\/sdk\/(.*\/)?environment\.ts$/,
  },
  {
    what: "reads the time outside core/clock.ts",
    pattern: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(\(\s*\)|(?!\s*\())|(?<!new\s+|[.\w])Date\s*\(\s*\)/g,
    except: /^src\/core\/clock\.ts$|^src\/sdk\/|^web\//,
  },
  {
    what: "reads the time, which in the SDK is only the default of an option",
    pattern: /(?<!\?\?\s*)\bDate\s*\.\s*now\b|\bnew\s+Date\s*(\(\s*\)|(?!\s*\())/g,
    except: /^(?!src\/sdk\/)/,
  },
  {
    what: "uses Math.random, which can be guessed",
    pattern: /\bMath\s*\.\s*random\b/g,
    except: /^src\/crypto\/|^web\//,
  },
  {
    what: 'takes the whole Identity: name the members that it uses, as in Pick<Identity, "clock">',
    pattern: /\bidentity\??\s*:\s*Identity\b/g,
    // The composition root, the router's host and the commands hand the whole of it on.
    except: /^src\/(app|cli\/open|http\/server|rpc\/feature|rpc\/procedures|rpc\/gate)\.ts$/,
  },
  { what: "exports by default", pattern: /\bexport\s+default\b|\bas\s+default\b/g, except: /\.d\.ts$/ },
];

const SQL_TEXT =
  /^\s*(SELECT\s[\s\S]*\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|(CREATE|ALTER|DROP)\s+(UNIQUE\s+)?(TABLE|INDEX)\s|PRAGMA\s|BEGIN\s+IMMEDIATE)/i;
const DATABASE_PACKAGE = /^(kysely|pg|postgres|bun:sqlite|node:sqlite)(\/|$)|^kysely-/;

function sqlProblems({ path }: SourceFile, scanned: Scanned, links: readonly Link[]): Problems {
  if (STORES.test(path)) return [];
  const texts = scanned.strings
    .filter(({ value }) => SQL_TEXT.test(value))
    .map(({ at }) => `${path}:${lineAt(scanned.code, at)}: SQL outside store.ts and storage/`);
  const drivers = links
    .filter(({ to, isFile }) => !isFile && DATABASE_PACKAGE.test(to))
    .map(({ line, to }) => `${path}:${line}: imports ${to} outside store.ts and storage/`);
  return [...texts, ...drivers];
}

const TABLES = new Map<string, string>(Object.entries(OWNERS));
const JOINED = new Map<string, readonly string[]>(Object.entries(JOINS));
const WRITES = /\.(insertInto|updateTable|deleteFrom|replaceInto|mergeInto)\s*\(\s*$/;
const WRITTEN_IN_TEXT = /^(into|update|delete\s+from)$/i;

/** Returns the tables that a store's literal names: as the whole literal, with an alias, or in a text of SQL. */
function tablesIn(value: string, before: string): { table: string; isWritten: boolean }[] {
  const whole = /^(\w+)(?: as \w+)?$/.exec(value)?.[1];
  if (whole !== undefined) return [{ table: whole, isWritten: WRITES.test(before) }];
  return [...value.matchAll(/\b(delete\s+from|from|join|into|update)\s+"?(\w+)/gi)].map(
    ([, verb = "", table = ""]) => ({
      table,
      isWritten: WRITTEN_IN_TEXT.test(verb),
    }),
  );
}

/** Finds SQL that names a table of another folder. Each table belongs to one folder. */
function ownerProblems({ path }: SourceFile, scanned: Scanned): Problems {
  if (!/^src\/(?!storage\/).*\/store\.ts$/.test(path)) return [];
  return scanned.strings.flatMap(({ at, value }) =>
    tablesIn(value, scanned.code.slice(0, at)).flatMap(({ table, isWritten }) => {
      const owner = TABLES.get(table);
      if (owner === undefined || path.startsWith(`src/${owner}/`)) return [];
      const mayRead = [...JOINED].some(
        ([folder, tables]) => path.startsWith(`src/${folder}/`) && tables.includes(table),
      );
      if (mayRead && !isWritten) return [];
      return [`${path}:${lineAt(scanned.code, at)}: names ${table}, which is a table of ${owner}`];
    }),
  );
}

/** Returns the folder of identity that holds a path, or the file beside the folders; undefined outside of identity. */
function identityFolderOf(path: string): string | undefined {
  return /^src\/identity\/[^/]+/.exec(path)?.[0];
}

/** Finds rings of identity's folders. Folders that import each other cannot be read or changed alone. */
function folderCycles(links: readonly Link[]): Problems {
  const between = links.flatMap((link) => {
    const [from, to] = [identityFolderOf(link.from), link.isFile ? identityFolderOf(link.to) : undefined];
    return from === undefined || to === undefined || from === to ? [] : [{ ...link, from, to }];
  });
  return cycles(between);
}

/** Reports each ring of nodes that import each other once, from the node that the walk met first. */
function cycles(links: readonly Link[]): Problems {
  const graph = new Map<string, Set<string>>();
  for (const { from, to, isFile } of links) if (isFile) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  const done = new Set<string>();
  const found: Problems = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const met = trail.indexOf(path);
    if (met >= 0) found.push(`${path}:1: imports itself by ${[...trail.slice(met), path].join(" -> ")}`);
    if (met >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return found;
}

/** Checks files of src/ and web/ against the import rule and the house rules of the architecture guide. */
export function architectureProblems(files: readonly SourceFile[]): Problems {
  const all: Link[] = [];
  const problems = files.flatMap((file) => {
    const scanned = scan(file.text);
    const links = linksOf(file, scanned);
    all.push(...links);
    const forbidden = links.flatMap((link) => {
      const why = whyForbidden(link);
      return why ? [`${file.path}:${link.line}: ${why}`] : [];
    });
    const broken = CODE_RULES.filter(({ except }) => !except.test(file.path)).flatMap(({ what, pattern }) =>
      [...scanned.code.matchAll(pattern)].map(({ index }) => `${file.path}:${lineAt(scanned.code, index)}: ${what}`),
    );
    return [...forbidden, ...broken, ...sqlProblems(file, scanned, links), ...ownerProblems(file, scanned)];
  });
  const rings = cycles(all);
  // A ring of files may also be a ring of folders. It is reported once.
  return [...problems, ...(rings.length > 0 ? rings : folderCycles(all))];
}

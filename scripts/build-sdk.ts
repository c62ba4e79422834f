import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Builds the published package's entry points into dist/sdk: one ES module for each, with its dependencies bundled in.
 * Shared code is in one chunk, so that `instanceof SallyportError` holds across them. Prints the compressed size of each.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "src/sdk");
/** Takes another folder as an argument, so that tests can build side by side. */
const target = resolve(process.argv[2] ?? join(root, "dist/sdk"));
const ENTRY_POINTS = ["client", "server", "express", "management", "react"];
/** Those that `require` loads too: servers, and their test runners, are often CommonJS. */
const REQUIRED = ["client", "server", "express", "management"];
/** Packages of the consumer, which must exist only once. */
const PEERS = ["react", "react/jsx-runtime"];
/** One stylesheet for consumers: the tokens, then the rules that read them. */
const STYLES = { "react/styles.css": ["tokens.css", "tokens-fallback.gen.css", "components.css"] };
/** React's frameworks read this from the first line, and the bundler drops it. */
const CLIENT_ONLY = '"use client";\n';
const SPECIFIER = /(\bfrom ?|\bimport ?\(?)("\.{1,2}\/[^"]+)\.(?:tsx?|js)"/g;

await rm(target, { recursive: true, force: true });
await bundle();
await bundleForRequire();
await declare();
await measure();
for (const [style, parts] of Object.entries(STYLES)) {
  const texts = await Promise.all(parts.map((part) => Bun.file(join(source, dirname(style), part)).text()));
  await Bun.write(join(target, style), texts.join("\n"));
}

/** Bundles readable code with source maps: an error prints the line that threw, and a debugger shows our files. */
async function bundle(): Promise<void> {
  await build(target, false);
  for (const name of ENTRY_POINTS) {
    const entry = join(target, name, "index.js");
    if (!(await Bun.file(join(source, name, "index.ts")).text()).startsWith(CLIENT_ONLY)) continue;
    await Bun.write(entry, CLIENT_ONLY + (await Bun.file(entry).text()));
    const map = await Bun.file(`${entry}.map`).json();
    // Shifts the map by the inserted line.
    await Bun.write(`${entry}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
  }
}

/** Bundles the entry points once more, as one CommonJS file behind small ones, so that they share one SallyportError. */
async function bundleForRequire(): Promise<void> {
  const scratch = await mkdtemp(join(root, ".sallyport-require-"));
  try {
    const entry = join(scratch, "require.ts");
    const lines = REQUIRED.map(
      (name) => `export * as ${name} from ${JSON.stringify(join(source, name, "index.ts"))};\n`,
    );
    await Bun.write(entry, lines.join(""));
    const built = await Bun.build({
      entrypoints: [entry],
      outdir: join(target, "internal"),
      target: "browser",
      format: "cjs",
      env: "disable",
      naming: "[name].cjs",
    });
    if (!built.success) throw new Error(`The CommonJS build fails:\n${built.logs.join("\n")}`);
    for (const name of REQUIRED) {
      await Bun.write(
        join(target, name, "index.cjs"),
        `module.exports = require("../internal/require.cjs").${name};\n`,
      );
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Prints the size of each entry point as a page loads it: minified, as by the page's bundler, and compressed. */
async function measure(): Promise<void> {
  const scratch = await mkdtemp(join(root, ".sallyport-sizes-"));
  try {
    await build(scratch, true);
    const weight = async (files: Set<string>) => {
      const sizes = [...files].map(async (file) => Bun.gzipSync(await Bun.file(file).bytes()).byteLength);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) / 1024;
    };
    for (const name of ENTRY_POINTS) {
      const entry = join(scratch, name, "index.js");
      const atOnce = await weight(await reachable(entry, "", false));
      const later = (await weight(await reachable(entry, ""))) - atOnce;
      const more = later > 0 ? `, and ${later.toFixed(1)} kB on demand` : "";
      console.log(`sallyport/${name}: ${atOnce.toFixed(1)} kB minified and gzipped${more}`);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function build(outdir: string, minify: boolean): Promise<void> {
  await Bun.build({
    entrypoints: ENTRY_POINTS.map((name) => join(source, name, "index.ts")),
    root: source,
    outdir,
    // The only target that adds no platform code. The entry points look for node:crypto at run time.
    target: "browser",
    format: "esm",
    splitting: true,
    external: PEERS,
    jsx: { development: false },
    env: "disable",
    minify,
    sourcemap: minify ? "none" : "linked",
    naming: { entry: "[dir]/[name].[ext]", chunk: "internal/[name]-[hash].[ext]" },
  });
}

/** Writes declarations of all files that the entry points reach, with specifiers for every module resolution. */
async function declare(): Promise<void> {
  const scratch = await mkdtemp(join(root, ".sallyport-declarations-"));
  try {
    const options = ["--declaration", "--emitDeclarationOnly", "--noEmit", "false", "--outDir", scratch];
    const config = join(scratch, "tsconfig.json");
    const files = ENTRY_POINTS.map((name) => join(source, name, "index.ts"));
    await Bun.write(
      config,
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: { rootDir: join(root, "src") },
        include: [],
        files,
      }),
    );
    const tsc = Bun.spawnSync([join(root, "node_modules/.bin/tsc"), "-p", config, ...options]);
    if (tsc.exitCode !== 0) throw new Error(`The declarations do not compile:\n${tsc.stdout.toString()}`);
    for (const name of ENTRY_POINTS) {
      for (const file of await reachable(join(scratch, "sdk", name, "index.d.ts"), ".d")) {
        const text = await Bun.file(file).text();
        const inside = relative(join(scratch, "sdk"), file);
        if (inside.startsWith("..")) throw new Error(`The published types need ${inside}, which is not in src/sdk.`);
        await Bun.write(join(target, inside), text.replace(SPECIFIER, '$1$2.js"'));
        if (!REQUIRED.includes(name)) continue;
        const required = join(target, inside.replace(/\.ts$/, ".cts"));
        await Bun.write(required, text.replace(SPECIFIER, '$1$2.cjs"'));
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Returns the file and all files that it imports by a relative path.
 * @param infix `.d` if `./x.ts` stands for `x.d.ts`
 * @param withLater whether imports at run time count
 */
async function reachable(entry: string, infix: string, withLater = true): Promise<Set<string>> {
  const seen = new Set<string>();
  const queue = [entry];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, how = "", specifier = ""] of (await Bun.file(file).text()).matchAll(SPECIFIER)) {
      if (!withLater && how.endsWith("(")) continue;
      queue.push(`${resolve(dirname(file), specifier.slice(1))}${infix === "" ? ".js" : `${infix}.ts`}`);
    }
  }
  return seen;
}

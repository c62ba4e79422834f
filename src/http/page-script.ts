import { type Asset, asset } from "./assets.ts";

/** A module of a page: its asset name and its TypeScript text, imported `with { type: "text" }`. */
interface PageModule {
  /** The asset's name: `link-texts.js`. */
  name: string;
  /** The specifier that other modules import: `./texts.ts`. */
  specifier: string;
  /** The namespace object of the import. */
  source: unknown;
}

const RELATIVE = /(\bfrom\s*|\bimport\s*)"(\.[^"]+)"/g;

/**
 * Returns the scripts for browsers: without types, and with the asset's address in each import. An address is a hash of
 * the source and of the addresses that it imports, so that nothing needs to be translated before the first request.
 * Most processes never serve the link of a mail.
 * @param modules each after the modules that it imports
 */
export function scriptAssets(modules: readonly PageModule[]): Asset[] {
  const paths = new Map<string, string>();
  return modules.map(({ name, specifier, source }) => {
    const { default: text } = source as { default: string };
    const linked = text.replaceAll(RELATIVE, (statement, keyword: string, imported: string) => {
      const path = paths.get(imported);
      return path === undefined ? statement : `${keyword}"${path}"`;
    });
    const made = asset(name, linked, (typed) => withoutTypes(name, typed));
    paths.set(specifier, made.path);
    return made;
  });
}

let transpiler: Bun.Transpiler | undefined;

/**
 * Removes the types.
 * @throws Error unless every import is an asset or a type
 */
function withoutTypes(name: string, source: string): string {
  transpiler ??= new Bun.Transpiler({ loader: "ts", target: "browser" });
  const script = transpiler.transformSync(source);
  const left = [...script.matchAll(RELATIVE)].map((match) => match[2]);
  if (left.length > 0) throw new Error(`${name} imports ${left.join(", ")}, which does not stand before it`);
  return script;
}

import { type Asset, asset } from "./assets.ts";

/** A page's module: its name as an asset, and its text in TypeScript, imported `with { type: "text" }`. */
interface PageModule {
  /** `link-texts.js` */
  name: string;
  /** As other modules import it: `./texts.ts`. */
  specifier: string;
  /** The namespace object of the import. */
  source: unknown;
}

const RELATIVE = /(\bfrom\s*|\bimport\s*)"(\.[^"]+)"/g;

/**
 * What browsers run: the types taken out, and each import under the address of its asset. The address is made of the source,
 * and of the addresses that it imports, so that nothing is translated before somebody asks: hardly any start sees a mail's link.
 * @param modules each after those that it imports
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

/** @throws Error for an import, but of types, of what is no asset */
function withoutTypes(name: string, source: string): string {
  transpiler ??= new Bun.Transpiler({ loader: "ts", target: "browser" });
  const script = transpiler.transformSync(source);
  const left = [...script.matchAll(RELATIVE)].map((match) => match[2]);
  if (left.length > 0) throw new Error(`${name} imports ${left.join(", ")}, which does not stand before it`);
  return script;
}

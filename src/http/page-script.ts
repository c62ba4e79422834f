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
 * What browsers run: the types taken out, and each import under the address of its asset, which is made of its content.
 * @param modules each after those that it imports
 * @throws Error for an import of what does not stand before
 */
export function scriptAssets(modules: readonly PageModule[]): Asset[] {
  const transpiler = new Bun.Transpiler({ loader: "ts", target: "browser" });
  const paths = new Map<string, string>();
  return modules.map(({ name, specifier, source }) => {
    const { default: text } = source as { default: string };
    const script = transpiler.transformSync(text).replaceAll(RELATIVE, (_, keyword: string, imported: string) => {
      const path = paths.get(imported);
      if (path === undefined) throw new Error(`${name} imports ${imported}, which does not stand before it`);
      return `${keyword}"${path}"`;
    });
    const made = asset(name, script);
    paths.set(specifier, made.path);
    return made;
  });
}

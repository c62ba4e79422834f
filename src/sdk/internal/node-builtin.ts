/**
 * A builtin of Node where the platform has it (Node, Bun, Deno, edge runtimes with Node compatibility), looked up at run
 * time and by a name that bundlers cannot see: a static import breaks the build for an edge runtime that has none.
 */
export async function nodeBuiltin<T>(name: `node:${string}`): Promise<T | null> {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const builtin = process?.getBuiltinModule?.(name) as T | undefined;
  if (builtin) return builtin;
  if (!process?.versions?.node) return null;
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name).catch(() => null) as Promise<T | null>;
}

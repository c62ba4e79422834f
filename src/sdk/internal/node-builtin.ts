/**
 * Returns a builtin of Node if the platform has it (Node, Bun, Deno, edge runtimes with Node compatibility). Looks it up at run
 * time by a name that bundlers cannot see, because a static import breaks the build for an edge runtime without it.
 */
export async function nodeBuiltin<T>(name: `node:${string}`): Promise<T | null> {
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const builtin = process?.getBuiltinModule?.(name) as T | undefined;
  if (builtin) return builtin;
  if (!process?.versions?.node) return null;
  return import(/* @vite-ignore */ /* webpackIgnore: true */ name).catch(() => null) as Promise<T | null>;
}

/** Tries until `check` holds; for what another process does in its own time. @throws what it threw last */
export async function eventually<T>(check: () => Promise<T> | T, patience = 30_000): Promise<T> {
  const end = performance.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await Bun.sleep(50);
    }
  }
}

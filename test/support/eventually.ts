/**
 * Retries until `check` succeeds, for events in another process.
 * @throws the last error
 */
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

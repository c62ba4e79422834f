/**
 * Milliseconds before attempt `n` (from 0): doubles from `first` up to `most`. The upper half is random, so that clients which
 * lost the appliance together do not return together.
 */
export function backoff(n: number, first: number, most: number): number {
  const full = Math.min(most, first * 2 ** Math.min(n, 30));
  return full / 2 + (full / 2) * chance();
}

/** 0 to 1. Spreads load and keeps no secret. Node 18 has no global crypto; there the clock's last digits suffice. */
function chance(): number {
  const { crypto } = globalThis as { crypto?: Crypto };
  if (!crypto?.getRandomValues) return (performance.now() * 1_000) % 1;
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}

/** Resolves after the time, or at once when the signal fires. Does not keep the process alive where the runtime allows that. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal) (timer as { unref?: () => void }).unref?.();
    signal?.addEventListener("abort", done);
  });
}

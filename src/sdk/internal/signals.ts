/**
 * A signal that fires after a time. Browsers of 2021 and React Native have no `AbortSignal.timeout`, and a request without a
 * limit would leave the page loading for ever.
 */
export function timeoutSignal(milliseconds: number): AbortSignal {
  if (typeof AbortSignal.timeout === "function") return AbortSignal.timeout(milliseconds);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("The time is up.")), milliseconds);
  return controller.signal;
}

/** Returns the reason of an aborted signal, also in browsers whose signals keep none (before Chrome 98). */
export function reasonOf(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException("The call was aborted.", "AbortError");
}

/** A signal that fires with the first of two. (`AbortSignal.any` is younger than the oldest supported browser.) */
export function eitherSignal(one: AbortSignal, other: AbortSignal | null | undefined): AbortSignal {
  if (!other) return one;
  const controller = new AbortController();
  const follow = (signal: AbortSignal) => {
    const abort = () => controller.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true, signal: controller.signal });
  };
  follow(one);
  follow(other);
  return controller.signal;
}

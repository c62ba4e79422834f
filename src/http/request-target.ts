/**
 * Returns the path of `request.url` without parsing the rest. Without a Host header, or with a broken one such as
 * `[bad` or `a:99999`, Bun's `request.url` is not a URL, and `new URL` would throw while an error is being answered or
 * logged.
 */
export function pathOf(url: string): string {
  const start = startOfPath(url);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}

export function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf("?", startOfPath(url));
  return new URLSearchParams(mark === -1 ? "" : url.slice(mark).replace(/#.*$/, ""));
}

function startOfPath(url: string): number {
  if (url.startsWith("/")) return 0;
  const slash = url.indexOf("/", url.indexOf("://") + 3);
  return slash === -1 ? url.length : slash;
}

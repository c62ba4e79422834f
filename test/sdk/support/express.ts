import type { AddressInfo } from "node:net";
import express5 from "express";
import express4 from "express4";

export type App = ReturnType<typeof express5>;

/** Serves on a free port until the scope ends. */
export async function serve(app: App) {
  const server = app.listen(0);
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    url,
    get: (path: string, headers: Record<string, string> = {}, method = "GET") =>
      fetch(url + path, { headers, method, redirect: "manual" }),
    [Symbol.dispose]: () => void server.close(),
  };
}

// The two versions have their own types, but the parts used here are the same.
export const versions: [string, () => App][] = [
  ["Express 4", express4 as unknown as () => App],
  ["Express 5", express5],
];

import type { TestApp } from "./app.ts";

export interface RawAnswer {
  status: number;
  text: string;
}

/** Sends raw bytes and reads until the server closes, for requests that no HTTP client would send. */
export function sendRaw(app: TestApp, lines: readonly string[], body = ""): Promise<RawAnswer> {
  const { hostname, port } = new URL(app.url);
  const request = `${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n${body}`;
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    const finish = () => {
      const text = Buffer.concat(chunks).toString();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        open: (socket) => void socket.write(request),
        data: (_socket, chunk) => void chunks.push(new Uint8Array(chunk)),
        close: finish,
        error: finish,
        connectError: (_socket, error) => reject(error),
      },
    }).catch(reject);
  });
}

import { connect, createServer, type Socket } from "node:net";

export interface LosingProxy {
  /** The database's address through the proxy. */
  url: string;
  /** From now on, swallows the answer to the command and ends its connection. */
  lose(): void;
  stop(): void;
}

/**
 * Starts a proxy for PostgreSQL that loses the server's answer to one command: the server has executed it, but the
 * client never learns of it.
 * @param command a command tag as CommandComplete carries it, such as `COMMIT`
 */
export async function startLosingProxy(command: string, target: string): Promise<LosingProxy> {
  const { hostname, port } = new URL(target);
  const answer = Buffer.from(`${command}\0`);
  const sockets = new Set<Socket>();
  let losing = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("data", (chunk) => upstream.write(chunk));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    upstream.on("data", (chunk) => {
      if (losing && Buffer.from(chunk).includes(answer)) client.destroy();
      else client.write(chunk);
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port: own } = server.address() as { port: number };
  return {
    url: Object.assign(new URL(target), { hostname: "127.0.0.1", port: String(own) }).href,
    lose: () => {
      losing = true;
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

import { connect, createServer, type Socket } from "node:net";

export interface CountingProxy {
  /** The database's address through the proxy. */
  url: string;
  /** How often the client has sent something after an answer, so how often it has waited. */
  roundTrips(): number;
  stop(): void;
}

/** Milliseconds that a message takes in each direction, so that messages of one moment travel together. */
const DISTANCE = 5;

/** Starts a proxy for PostgreSQL that counts the round trips of all its connections. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let isWaiting = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("data", (chunk) => {
      if (!isWaiting) roundTrips++;
      isWaiting = true;
      setTimeout(() => upstream.write(chunk), DISTANCE);
    });
    upstream.on("data", (chunk) => {
      setTimeout(() => {
        isWaiting = false;
        client.write(chunk);
      }, DISTANCE);
    });
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port: own } = server.address() as { port: number };
  return {
    url: Object.assign(new URL(target), { hostname: "127.0.0.1", port: String(own) }).href,
    roundTrips: () => roundTrips,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

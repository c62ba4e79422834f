import { AppError } from "../core/errors.ts";
import { clientHop } from "../core/forwarded.ts";
import { NetworkList } from "../core/network.ts";
import type { Handler } from "./edge.ts";

const LOOPBACK = new NetworkList(["127.0.0.0/8", "::1"]);
/** Headers in which a proxy or tunnel on this machine names its client. */
const NAMING = ["x-forwarded-for", "forwarded", "x-real-ip"] as const;

/**
 * Lets only programs on this machine use a handler. `dev --host 0.0.0.0` and a tunnel let others reach the server, and the
 * Host header proves nothing: any caller can write `localhost` there.
 */
export function localOnly(handler: Handler): Handler {
  return (exchange) => {
    const { request, server } = exchange;
    const peer = server.requestIP(request)?.address ?? "";
    const isLocal = NAMING.every((name) => {
      const { address, unreadable } = clientHop(peer, { name, value: request.headers.get(name) }, LOOPBACK);
      return unreadable === null && LOOPBACK.has(address);
    });
    if (!isLocal) {
      throw new AppError("forbidden", {
        message: "Only programs on the machine that runs `sallyport dev` may read its mails.",
      });
    }
    return handler(exchange);
  };
}

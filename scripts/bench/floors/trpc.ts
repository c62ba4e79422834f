import { initTRPC, TRPCError } from "@trpc/server";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";

/** tRPC's stock fetch handler with one procedure that has the same body. */
export function trpcFloor(session: (request: Request) => unknown): (request: Request) => Promise<Response> {
  const t = initTRPC.context<{ request: Request }>().create();
  const router = t.router({
    auth: t.router({
      session: t.procedure.query(({ ctx }) => {
        const found = session(ctx.request);
        if (!found) throw new TRPCError({ code: "UNAUTHORIZED" });
        return found;
      }),
    }),
  });
  return (request) =>
    fetchRequestHandler({ endpoint: "/trpc", req: request, router, createContext: () => ({ request }) });
}

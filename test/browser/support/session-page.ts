import { createTRPCUntypedClient, httpBatchLink } from "@trpc/client";
import {
  createClient,
  createSession,
  type SallyportSession,
  type SessionState,
} from "../../../src/sdk/client/index.ts";

/** The parts of this page that the tests reach, by `page.evaluate`. */
export interface SessionPage {
  session: SallyportSession;
  /** Every state since the page was loaded. */
  states: SessionState[];
  /** The error, if the session could not be made. */
  refused: { code: string; message: string } | null;
  /** Calls `path` at another tRPC server, through the session's link. */
  trpc(url: string, path: string): Promise<unknown>;
}

declare global {
  interface Window {
    sallyport: SessionPage;
  }
}

const { url, applicationId } = document.documentElement.dataset;

function open(): SessionPage {
  const states: SessionState[] = [];
  const session = createSession(createClient({ url, applicationId }));
  states.push(session.state);
  session.subscribe((state) => states.push(state));
  const trpc = (address: string, path: string) =>
    createTRPCUntypedClient({
      links: [session.link, httpBatchLink({ url: address, headers: session.headers })],
    }).query(path);
  return { session, states, refused: null, trpc };
}

try {
  window.sallyport = open();
} catch (error) {
  const { code, message } = error as { code: string; message: string };
  window.sallyport = { refused: { code, message } } as SessionPage;
}

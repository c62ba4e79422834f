import { call, refresh, signIn, signUp } from "../../support/people.ts";
import type { Chain, Ledger } from "./ledger.ts";

/** Starts clients: most refresh their own sessions in a loop, and another signs users up and out. */
export function startLoad(url: string, ledger: Ledger, round: number): Promise<void> {
  const clients = ledger.chains.map((chain) => untilGone(() => refreshOnce(url, ledger, chain)));
  let count = 0;
  clients.push(untilGone(() => newcomer(url, ledger, `crash-${round}-${count++}@example.com`)));
  return Promise.all(clients).then(() => undefined);
}

/** Runs until the server has gone: from then on no request gets an answer. */
async function untilGone(act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await act();
    } catch (error) {
      if (error instanceof Unexpected) throw error;
      return;
    }
  }
}

/** An answer that does not fit the request. */
class Unexpected extends Error {}

async function refreshOnce(url: string, ledger: Ledger, chain: Chain): Promise<void> {
  chain.unansweredAt = performance.now();
  const { status, body } = await refresh(url, chain.current);
  if (status !== 200) throw new Unexpected(`a refresh under load returned ${status}`);
  ledger.advance(chain, body.refresh_token);
}

async function newcomer(url: string, ledger: Ledger, email: string): Promise<void> {
  const { status, body } = await signUp(url, email);
  if (status !== 201) throw new Unexpected(`a sign-up under load returned ${status}: ${JSON.stringify(body)}`);
  ledger.users.add(email);
  const out = await call(url, "/v1/auth/logout", { body: {}, bearer: body.access_token });
  if (out.status !== 200) throw new Unexpected(`a sign-out under load returned ${out.status}`);
  ledger.ended.push(body.refresh_token);
}

/** Opens a session of a user in the ledger. */
export async function enter(url: string, ledger: Ledger, email: string): Promise<Chain> {
  const { status, body } = ledger.users.has(email) ? await signIn(url, email) : await signUp(url, email);
  if (status !== 200 && status !== 201) throw new Unexpected(`the sign-in of ${email} returned ${status}`);
  ledger.users.add(email);
  return ledger.begin(email, body.refresh_token);
}

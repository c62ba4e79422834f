import { call, refresh } from "../../support/people.ts";
import type { Chain, Ledger } from "./ledger.ts";
import { enter } from "./load.ts";

/** Milliseconds: the grace of a refresh with a lost answer, minus the time that the check itself may take. */
const GRACE = 110_000;

/** Checks every invariant after a crash. @returns the violations */
export async function verify(url: string, secretKey: string, ledger: Ledger): Promise<string[]> {
  const problems: string[] = [];
  const ready = await call(url, "/readyz");
  if (ready.status !== 200) problems.push(`/readyz returns ${ready.status}`);
  const there = await emails(url, secretKey);
  for (const email of ledger.users) if (!there.has(email)) problems.push(`${email} was acknowledged but is missing`);
  for (const chain of [...ledger.chains]) problems.push(...(await verifyChain(url, ledger, chain)));
  for (const token of ledger.ended.slice(-20)) {
    const { status } = await refresh(url, token);
    if (status !== 401) problems.push(`a session whose end was acknowledged returns ${status}`);
  }
  const victim = ledger.chains.find(({ spent }) => spent.length > 2);
  if (victim) problems.push(...(await replay(url, ledger, victim)));
  return problems;
}

/** Expects that the acknowledged successor works, as the current token or within the grace of a lost answer. */
async function verifyChain(url: string, ledger: Ledger, chain: Chain): Promise<string[]> {
  const { status, body } = await refresh(url, chain.current);
  if (status === 200) {
    ledger.advance(chain, body.refresh_token);
    return [];
  }
  const late = chain.unansweredAt !== null && performance.now() - chain.unansweredAt > GRACE;
  ledger.end(chain);
  await enter(url, ledger, chain.email);
  return late && status === 401 ? [] : [`an acknowledged refresh token of ${chain.email} returns ${status}`];
}

/** Expects that a token spent before the crash, just before or long before, is refused as a stolen copy and ends its family. */
async function replay(url: string, ledger: Ledger, chain: Chain): Promise<string[]> {
  const problems: string[] = [];
  const oldest = chain.spent[0] ?? "";
  const last = chain.spent.at(-3) ?? "";
  const first = await refresh(url, chain.spent.length % 2 === 0 ? oldest : last);
  if (first.status !== 401) problems.push(`a spent refresh token returns ${first.status}`);
  const after = await refresh(url, chain.current);
  if (after.status !== 401) problems.push(`the family of a replayed token returns ${after.status}`);
  ledger.end(chain);
  await enter(url, ledger, chain.email);
  return problems;
}

async function emails(url: string, secretKey: string): Promise<Set<unknown>> {
  const found = new Set<unknown>();
  let cursor = "";
  do {
    const { status, body } = await call(url, `/v1/users?limit=100${cursor}`, { bearer: secretKey });
    if (status !== 200) throw new Error(`the list of users returned ${status}`);
    for (const user of body.data) found.add(user.email);
    cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
  } while (cursor !== "");
  return found;
}

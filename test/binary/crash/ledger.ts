/** A session as its client knows it. */
export interface Chain {
  email: string;
  /** The newest refresh token that the server returned. */
  current: string;
  /** Earlier tokens, oldest first. All but the last have a used successor, so nothing may revive them. */
  spent: string[];
  /** The time of a refresh whose answer never came (ms of `performance.now`), else null. */
  unansweredAt: number | null;
}

/** Records the writes that the server acknowledged. All of them must survive a crash. */
export class Ledger {
  readonly users = new Set<string>();
  readonly chains: Chain[] = [];
  /** Refresh tokens of sessions whose end the server acknowledged. */
  readonly ended: string[] = [];
  refreshes = 0;

  begin(email: string, refreshToken: string): Chain {
    const chain = { email, current: refreshToken, spent: [], unansweredAt: null };
    this.chains.push(chain);
    return chain;
  }

  /** Records the successor of `current`. */
  advance(chain: Chain, successor: string): void {
    this.refreshes++;
    chain.spent.push(chain.current);
    chain.current = successor;
    chain.unansweredAt = null;
  }

  end(chain: Chain): void {
    this.ended.push(chain.current);
    this.chains.splice(this.chains.indexOf(chain), 1);
  }
}

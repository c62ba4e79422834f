/** One session as its client knows it. */
export interface Chain {
  email: string;
  /** The newest refresh token that was answered. */
  current: string;
  /** The tokens before it, oldest first. All but the last have a successor that was used: nothing may revive them. */
  spent: string[];
  /** When a refresh was sent whose answer never came (ms of `performance.now`), else null. */
  unansweredAt: number | null;
}

/** What the server has acknowledged: after a crash, all of it must be there. */
export class Ledger {
  readonly users = new Set<string>();
  readonly chains: Chain[] = [];
  /** Refresh tokens of sessions whose end was acknowledged. */
  readonly ended: string[] = [];
  refreshes = 0;

  begin(email: string, refreshToken: string): Chain {
    const chain = { email, current: refreshToken, spent: [], unansweredAt: null };
    this.chains.push(chain);
    return chain;
  }

  /** The successor of `current` was answered. */
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

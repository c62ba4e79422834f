/**
 * A message between the tabs of one origin. It carries no token: each tab gets its own from the appliance with the shared
 * cookie, so a script that listens learns nothing worth stealing.
 */
export interface TabMessage {
  type: "signed-in" | "sign-out" | "ended";
  /** The session that began or ended. */
  sid: string;
  /** The same user's earlier session that this one continues, by a step-up or a second sign-in; null or absent for none. */
  replaces?: string | null;
}

const TYPES = new Set<unknown>(["signed-in", "sign-out", "ended"]);

export interface TabChannel {
  broadcast(message: TabMessage): void;
  close(): void;
}

/** Without BroadcastChannel, the other tabs notice at their next refresh. */
export function openChannel(name: string, listen: (message: TabMessage) => void): TabChannel {
  if (typeof BroadcastChannel === "undefined") return { broadcast: () => {}, close: () => {} };
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }: MessageEvent) => {
    const message = data as Partial<TabMessage> | null | undefined;
    if (TYPES.has(message?.type) && typeof message?.sid === "string") listen(message as TabMessage);
  };
  return {
    broadcast: (message) => channel.postMessage(message),
    close: () => channel.close(),
  };
}

/**
 * What tabs of one origin tell each other. No token travels: each tab asks the appliance for its own, by the cookie that
 * they share, so a script that listens learns nothing worth stealing.
 */
export interface TabMessage {
  type: "signed-in" | "sign-out" | "ended";
  /** Of the session that began or is over. */
  sid: string;
  /** The same person's session that goes on as this one, by a step-up or a second sign-in; null or absent for none. */
  replaces?: string | null;
}

const TYPES = new Set<unknown>(["signed-in", "sign-out", "ended"]);

export interface TabChannel {
  broadcast(message: TabMessage): void;
  close(): void;
}

/** Without BroadcastChannel the other tabs find out at their next refresh. */
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

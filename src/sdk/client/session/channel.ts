/**
 * What tabs of one origin tell each other. No token travels: each tab asks the appliance for its own, by the cookie that
 * they share, so a script that listens learns nothing worth stealing.
 */
export type TabMessage = { type: "signed-in" | "signed-out"; sid: string };

export interface TabChannel {
  tell(message: TabMessage): void;
  close(): void;
}

/** Without BroadcastChannel the other tabs find out at their next refresh. */
export function openChannel(name: string, listen: (message: TabMessage) => void): TabChannel {
  if (typeof BroadcastChannel === "undefined") return { tell: () => {}, close: () => {} };
  const channel = new BroadcastChannel(name);
  channel.onmessage = ({ data }: MessageEvent) => {
    const { type, sid } = (data ?? {}) as Partial<TabMessage>;
    if ((type === "signed-in" || type === "signed-out") && typeof sid === "string") listen({ type, sid });
  };
  return {
    tell: (message) => channel.postMessage(message),
    close: () => channel.close(),
  };
}

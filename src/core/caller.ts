/** Where a request comes from: what limits count, the audit log tells and a session remembers. */
export interface RequestOrigin {
  requestId: string;
  /** The person's address: the peer's, a trusted proxy's word for it, or a forwarding backend's. */
  address: string;
  /** What limits count: the address, for IPv6 its /64. */
  network: string;
  userAgent: string | null;
  /** The value of Accept-Language: in what language to write to whoever asks. */
  languages?: string | null;
}

/** Acts that no request asked for: commands on the machine and jobs. */
export const systemOrigin: RequestOrigin = { requestId: "", address: "", network: "", userAgent: null };

/** The origin of a request, for rate limits, the audit log and the session. */
export interface RequestOrigin {
  requestId: string;
  /** The person's address: the peer's, or the address that a trusted proxy or a forwarding backend reports. */
  address: string;
  /** The unit of rate limits: the address, or its /64 for IPv6. */
  network: string;
  userAgent: string | null;
  /** The value of Accept-Language, which chooses the language of mails to this person. */
  languages?: string | null;
}

/** The origin of jobs and of commands on the machine, which have no request. */
export const systemOrigin: RequestOrigin = { requestId: "", address: "", network: "", userAgent: null };

/** The security notices that users get by mail. A tenant may switch off each kind (ASVS 6.3.5, 6.3.7). */
export const NOTICE_KINDS = ["new_device", "password", "factor", "address", "account"] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

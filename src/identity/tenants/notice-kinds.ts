/** The security notices that people get by mail. A tenant may switch each one off (ASVS 6.3.5, 6.3.7). */
export const NOTICE_KINDS = ["new_device", "password", "factor", "address", "account"] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

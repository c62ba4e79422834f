/** The maximum number of addresses of one person. */
export const MAX_EMAILS = 10;

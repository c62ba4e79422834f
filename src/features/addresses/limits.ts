/** The most addresses of one person. */
export const MAX_EMAILS = 10;

/**
 * The ids of the other chapters that concern an authentication server, by chapter and level. Tests may name them, and the
 * table counts them. V6 and V7 have their own files.
 */
export const otherChapters: Record<string, { name: string; ids: Record<1 | 2 | 3, string> }> = {
  3: {
    name: "Web Frontend Security",
    ids: { 1: "3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3", 2: "3.3.2 3.3.3 3.3.4 3.4.3 3.4.4 3.4.5 3.4.6", 3: "" },
  },
  4: { name: "API and Web Service", ids: { 1: "4.1.1", 2: "4.1.3 4.2.1", 3: "4.1.4" } },
  8: { name: "Authorization", ids: { 1: "8.2.1 8.2.2 8.3.1", 2: "8.2.3 8.4.1", 3: "8.3.2" } },
  9: { name: "Self-contained Tokens", ids: { 1: "9.1.1 9.1.2 9.1.3 9.2.1", 2: "9.2.2 9.2.3 9.2.4", 3: "" } },
  10: {
    name: "OAuth and OIDC",
    ids: {
      1: "10.4.1 10.4.2 10.4.3 10.4.4 10.4.5",
      2:
        "10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 10.4.11 10.5.1 10.5.2 " +
        "10.5.3 10.5.4 10.5.5 10.6.1 10.6.2 10.7.1 10.7.2 10.7.3",
      3: "10.2.3 10.3.5 10.4.12 10.4.13 10.4.14 10.4.15 10.4.16",
    },
  },
  11: { name: "Cryptography", ids: { 1: "11.3.1 11.3.2 11.4.1", 2: "11.4.2 11.5.1", 3: "11.2.4" } },
  13: { name: "Configuration", ids: { 1: "", 2: "13.2.4 13.2.5", 3: "" } },
  16: {
    name: "Security Logging and Error Handling",
    ids: { 1: "", 2: "16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.5.1 16.5.2 16.5.3", 3: "16.5.4" },
  },
};

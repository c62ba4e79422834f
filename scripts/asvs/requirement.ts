/** One requirement of OWASP ASVS 5.0 in our own words. The standard's text is not copied here. */
export interface Requirement {
  id: string;
  level: 1 | 2 | 3;
  title: string;
  /** The section that fulfils a requirement for documentation. */
  documented?: { file: string; section: string };
  /** The reason why no test shows the requirement. */
  left?: { because: "not applicable" | "comes later" | "differs"; why: string };
  /** A fact that the table's reader needs beside the tests: where we depart from the letter of the requirement, and why. */
  note?: string;
}

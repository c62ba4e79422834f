/** One requirement of OWASP ASVS 5.0, in words of our own: the standard's text is not copied here. */
export interface Requirement {
  id: string;
  level: 1 | 2 | 3;
  title: string;
  /** For what asks for a text: the section that has it. */
  documented?: { file: string; section: string };
  /** Why no test shows it. */
  left?: { because: "not applicable" | "comes later" | "differs"; why: string };
  /** What a reader of the table must know beside the tests: where we do something else than the letter says, and why. */
  note?: string;
}

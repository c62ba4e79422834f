/** The result of one check. */
export interface Finding {
  check: string;
  level: "ok" | "warning" | "error";
  message: string;
  /** What to do about the problem; null without a problem. */
  fix: string | null;
}

export const ok = (check: string, message: string): Finding => ({ check, level: "ok", message, fix: null });
export const warning = (check: string, message: string, fix: string): Finding => ({
  check,
  level: "warning",
  message,
  fix,
});
export const error = (check: string, message: string, fix: string): Finding => ({
  check,
  level: "error",
  message,
  fix,
});

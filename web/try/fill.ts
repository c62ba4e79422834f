/** Puts a code into the field that waits for it. @returns whether there is such a field */
export function fillCode(code: string): boolean {
  const fields = [...document.querySelectorAll<HTMLInputElement>('input[name="code"]')];
  // A dialog is above the page, and last in it.
  const field = fields.at(-1);
  if (!field) return false;
  field.value = code;
  field.focus();
  return true;
}

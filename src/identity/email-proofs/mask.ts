/**
 * Masks an address for a page that any holder of the link may open: the owner recognises it, and a stranger cannot write to it.
 * Keeps the first character and the domain: `a•••@example.com`.
 */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, 1)}•••${address.slice(at)}`;
}

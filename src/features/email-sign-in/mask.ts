/**
 * An address as a page may show it to whoever has opened a link: enough for its owner to know it, too little to write to.
 * The first character and the domain: `a•••@example.com`.
 */
export function maskEmail(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, 1)}•••${address.slice(at)}`;
}

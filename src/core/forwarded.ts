import { type NetworkList, parseAddress } from "./network.ts";

/** RFC 7239's header, whose elements have named parameters. Every other header is a plain list of hops. */
const FORWARDED = "forwarded";
/** The longest part of an unreadable hop that a log line shows. */
const SHOWN_LENGTH = 64;

/** The client's address as trusted proxies state it. */
export interface ClientHop {
  address: string;
  /** The hop that stopped the reading, because it names no address; null if there was none. */
  unreadable: string | null;
}

/**
 * Finds the client's address behind trusted proxies: the rightmost hop that is not a trusted proxy. The client itself may
 * have written the hops to the left of it. A hop that names no address ends the search at the proxy that reported it.
 *
 * @param value the header that the proxies set; several header lines are joined by commas
 */
export function clientHop(
  peer: string,
  header: { name: string; value: string | null },
  trusted: NetworkList,
): ClientHop {
  let address = parseAddress(peer) ?? peer;
  if (header.value === null || header.value.trim() === "" || !trusted.has(address))
    return { address, unreadable: null };
  // Reading from the right at every comma keeps an open quote of the client from hiding what the proxy added after it.
  for (const element of header.value.split(",").reverse()) {
    const hop = header.name === FORWARDED ? forParameter(element) : element;
    const found = hop === null ? null : addressOfHop(hop);
    if (found === null) return { address, unreadable: element.trim().slice(0, SHOWN_LENGTH) };
    address = found;
    if (!trusted.has(address)) break;
  }
  return { address, unreadable: null };
}

/** Reads `192.0.2.1`, `192.0.2.1:51234`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:443`, each also in quotes. */
function addressOfHop(text: string): string | null {
  const plain = text.trim().replace(/^"(.*)"$/, "$1");
  const withPort = /^(\d+\.\d+\.\d+\.\d+|\[[^\]]+\]):(?:\d{1,5}|_[\w.-]+)$/.exec(plain);
  return parseAddress(withPort?.[1] ?? plain);
}

/** Returns the value of `for` in one element of RFC 7239, or null without it. */
function forParameter(element: string): string | null {
  const parameters = element.split(";").map((part) => part.trim());
  return parameters.find((part) => /^for=/i.test(part))?.slice("for=".length) ?? null;
}

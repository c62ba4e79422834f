import { isIP } from "node:net";

/**
 * Normalises an IP address: IPv4 also from its mapped IPv6 form, IPv6 without a zone. @returns null unless it is an address
 */
export function parseAddress(text: string): string | null {
  const plain =
    text
      .trim()
      .replace(/^\[(.*)\]$/, "$1")
      .split("%")[0] ?? "";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined) return isIP(mapped) === 4 ? mapped : null;
  const version = isIP(plain);
  if (version === 4) return plain;
  if (version !== 6) return null;
  const groups = groupsOf(plain);
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  return groups.map((group) => group.toString(16)).join(":");
}

/**
 * Returns the network that limits count: an IPv4 address itself, or an IPv6 address's /64, the size of one customer line.
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/**
 * Returns the network that one attacker can hold many of {@link networkOf} in: an IPv4 address itself, or an IPv6 address's /48,
 * the size of one site.
 */
export function siteOf(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${groupsOf(address)
    .slice(0, 3)
    .map((group) => group.toString(16))
    .join(":")}::/48`;
}

/** A list of addresses and CIDR blocks. */
export class NetworkList {
  readonly #blocks: { bits: bigint; prefix: number; version: 4 | 6 }[] = [];

  /** @throws Error with the entry that is not an address or block */
  constructor(private readonly entries: readonly string[]) {
    for (const entry of entries) {
      const [text = "", length, ...rest] = entry.split("/");
      const version = isIP(text);
      const size = version === 4 ? 32 : 128;
      // Number("") is 0, so a truncated block would match every address.
      const prefix = length === undefined ? size : /^\d{1,3}$/.test(length) ? Number(length) : -1;
      if (version === 0 || rest.length > 0 || prefix < 0 || prefix > size) {
        throw new Error(`${entry} is not an IP address or CIDR block`);
      }
      this.#blocks.push({ bits: toBits(text), prefix, version: version as 4 | 6 });
    }
  }

  /** Tells whether these blocks contain every address of `other`. */
  covers(other: NetworkList): boolean {
    return other.#blocks.every((inner) =>
      this.#blocks.some((outer) => {
        const size = BigInt(outer.version === 4 ? 32 : 128);
        const isSame = (inner.bits ^ outer.bits) >> (size - BigInt(outer.prefix)) === 0n;
        return outer.version === inner.version && outer.prefix <= inner.prefix && isSame;
      }),
    );
  }

  toJSON(): readonly string[] {
    return this.entries;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  has(address: string): boolean {
    const version = isIP(address);
    if (version === 0 || this.#blocks.length === 0) return false;
    const size = BigInt(version === 4 ? 32 : 128);
    const bits = toBits(address);
    return this.#blocks.some(
      (block) => block.version === version && (bits ^ block.bits) >> (size - BigInt(block.prefix)) === 0n,
    );
  }
}

function toBits(address: string): bigint {
  if (isIP(address) === 4) {
    return address.split(".").reduce((bits, part) => (bits << 8n) | BigInt(Number(part)), 0n);
  }
  return groupsOf(address).reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

function groupsOf(address: string): number[] {
  const withGroups = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    return `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  });
  const [head = "", tail] = withGroups.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, gap)).fill("0"), ...right].map((group) => Number.parseInt(group, 16));
}

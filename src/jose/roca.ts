/**
 * ROCA (CVE-2017-15361): Infineon's library made primes of the form k·M + (65537^a mod M), so the modulus stands in the group
 * that 65537 spans modulo every small prime that divides M. A sound modulus does so for all of these with a chance below 2^-27.
 */
const PRIMES = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/** @param modulus big-endian bytes of an RSA modulus */
export function isRocaModulus(modulus: Uint8Array): boolean {
  return PRIMES.every((prime) => {
    let residue = 0;
    for (const byte of modulus) residue = (residue * 256 + byte) % prime;
    const generator = 65537 % prime;
    let power = 1;
    for (let i = 1; i < prime; i++) {
      if (power === residue) return true;
      power = (power * generator) % prime;
    }
    return false;
  });
}

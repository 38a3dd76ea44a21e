/**
 * The names that stand for addresses: 1.0.18.198.in-addr.arpa (RFC 1035 §3.5) and ...ip6.arpa
 * (RFC 3596 §2.5). Pure.
 */

import { addressFromBytes, type IpAddress } from "../net/address.ts";
import { normalizeName } from "../net/hostname.ts";

/** The address that a name of these stands for; undefined for any other name, and for a part of an address. */
export function addressOfArpa(name: string): IpAddress | undefined {
  const normalized = normalizeName(name);
  const [, inet] = /^((?:(?:0|[1-9]\d{0,2})\.){4})in-addr\.arpa$/.exec(normalized) ?? [];
  if (inet !== undefined) {
    const octets = inet.slice(0, -1).split(".").reverse().map(Number);
    return octets.every((octet) => octet <= 255)
      ? addressFromBytes(Uint8Array.from(octets))
      : undefined;
  }
  const [, inet6] = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(normalized) ?? [];
  if (inet6 === undefined) return undefined;
  const pairs = inet6.slice(0, -1).split(".").reverse().join("").match(/../g)!;
  return addressFromBytes(Uint8Array.from(pairs, (pair) => parseInt(pair, 16)));
}

/**
 * IP addresses as bytes, parsed strictly: four decimal octets without leading zeros, or RFC 4291
 * text. Nothing lenient enters a policy path; the legacy forms of inet_aton(3) are only recognised,
 * so that a numeric text is never taken for a name.
 */

import { isIPv4, isIPv6 } from "node:net";

/** 4 octets (IPv4) or 16 octets (IPv6), network order. A v4-mapped IPv6 address is normalised to IPv4. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly bytes: Uint8Array;
}

/** Where a program wants to go. */
export type Destination =
  | { kind: "address"; address: IpAddress; port: number }
  | { kind: "name"; name: string; port: number };

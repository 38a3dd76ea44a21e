/**
 * IP addresses as bytes, parsed strictly: four decimal octets without leading zeros, or RFC 4291
 * text. Nothing lenient enters a policy path; the legacy forms of inet_aton(3) live in
 * legacy_numeric.ts and are only recognised, so that a numeric text is never taken for a name.
 */

import { escapeText } from "./printable.ts";

export { isLegacyNumeric } from "./legacy_numeric.ts";

/** 4 octets (IPv4) or 16 octets (IPv6), network order. A v4-mapped IPv6 address is normalised to IPv4. */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly bytes: Uint8Array;
}

/** Where a program wants to go. */
export type Destination =
  | { kind: "address"; address: IpAddress; port: number }
  | { kind: "name"; name: string; port: number };

/** The longest DOMAINNAME of RFC 1928 §5, in octets; no more of a name is printed. */
const MAX_PRINTED_NAME_BYTES = 255;
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Dotted decimal or RFC 4291 §2.2 text without brackets, zone or blanks; else undefined. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = text.includes(":") ? parseV6(text) : parseV4(text);
  return bytes && addressFromBytes(bytes);
}

/**
 * 4 or 16 octets in network order, copied; `::ffff:a.b.c.d` becomes version 4.
 * @throws {RangeError} for any other length
 */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return { version: 4, bytes: bytes.slice() };
  if (bytes.length !== 16) {
    throw new RangeError(`Address of ${bytes.length} octets: 4 or 16 needed`);
  }
  const isMapped = MAPPED_PREFIX.every((octet, at) => bytes[at] === octet);
  return isMapped ? { version: 4, bytes: bytes.slice(12) } : { version: 6, bytes: bytes.slice() };
}

/** `10.1.4.253`, or RFC 5952 text without brackets. */
export function formatIpAddress(address: IpAddress): string {
  return address.version === 4 ? address.bytes.join(".") : formatV6(address.bytes);
}

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1 (RFC 4291 §2.5.3). */
export function isLoopback(address: IpAddress): boolean {
  if (address.version === 4) return address.bytes[0] === 127;
  return address.bytes.every((octet, at) => octet === (at === 15 ? 1 : 0));
}

/** 0.0.0.0 or ::, which connect(2) takes for this machine. */
export function isUnspecified(address: IpAddress): boolean {
  return address.bytes.every((octet) => octet === 0);
}

/** `host.example:80`, `10.0.0.1:80`, `[::1]:80`; `hostname` is taken as it is. */
export function formatEndpoint(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** As formatEndpoint(), with a name's octets that could disturb a reader as `\xNN`. */
export function formatDestination(destination: Destination): string {
  if (destination.kind === "address") {
    return formatEndpoint(formatIpAddress(destination.address), destination.port);
  }
  return formatEndpoint(escapeText(destination.name, MAX_PRINTED_NAME_BYTES), destination.port);
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  const isStrict = parts.length === 4 &&
    parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
  return isStrict ? Uint8Array.from(parts, Number) : undefined;
}

function parseV6(text: string): Uint8Array | undefined {
  const hexText = dottedTailToHex(text);
  const halves = hexText?.split("::").map(parseGroups) ?? [];
  const [left, right] = halves;
  if (left === undefined || halves.length > 2) return undefined;
  if (halves.length === 1) return left.length === 8 ? groupsToBytes(left) : undefined;
  // RFC 4291 §2.2: "::" stands for one or more groups.
  if (right === undefined || left.length + right.length > 7) return undefined;
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  return groupsToBytes([...left, ...zeros, ...right]);
}

/** The form x:x:x:x:x:x:d.d.d.d (RFC 4291 §2.2.3), its tail as two groups. */
function dottedTailToHex(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const start = text.lastIndexOf(":") + 1;
  const octets = parseV4(text.slice(start));
  if (octets === undefined) return undefined;
  const view = new DataView(octets.buffer);
  return text.slice(0, start) + [0, 2].map((at) => view.getUint16(at).toString(16)).join(":");
}

function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const areHex = groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group));
  return areHex ? groups.map((group) => parseInt(group, 16)) : undefined;
}

function groupsToBytes(groups: number[]): Uint8Array {
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function formatV6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, at) => view.getUint16(2 * at).toString(16));
  const zeros = longestZeroRun(groups);
  // RFC 5952 §4.2.2: "::" must not shorten just one group.
  if (zeros.length < 2) return groups.join(":");
  const left = groups.slice(0, zeros.start).join(":");
  return `${left}::${groups.slice(zeros.start + zeros.length).join(":")}`;
}

/** The first of the longest runs (RFC 5952 §4.2.3). */
function longestZeroRun(groups: string[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    const end = groups.findIndex((group, at) => at >= start && group !== "0");
    const length = (end === -1 ? groups.length : end) - start;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}

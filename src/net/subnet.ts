/**
 * Networks: an address and a prefix length, parsed strictly. What a mask says must be what it does,
 * so the address must lie on its mask's boundary and the mask must be ones, then zeros.
 * Source: tsocks.conf(5) (IP/dotted mask), RFC 4632 §3.1 and RFC 4291 §2.3 (IP/prefix length).
 */

import { formatIpAddress, type IpAddress, parseIpAddress } from "./address.ts";
import { readLegacyNumeric } from "./legacy_numeric.ts";

/** `address` has no bit set behind its first `prefixLength` (0–32 or 0–128). */
export interface Subnet {
  address: IpAddress;
  prefixLength: number;
}

export type SubnetResult =
  | { ok: true; subnet: Subnet }
  | { ok: false; message: string; fix: string };

const FORMS = "write IP/MASK or IP/BITS, such as 10.0.0.0/255.0.0.0, 10.0.0.0/8 or 2001:db8::/32";

/** `10.0.0.0/255.0.0.0`, `10.0.0.0/8`, `10.1.2.3` (that host), `2001:db8::/32`; IPv6 without brackets. */
export function parseSubnet(text: string): SubnetResult {
  const slash = text.indexOf("/");
  const addressText = slash === -1 ? text : text.slice(0, slash);
  const address = parseIpAddress(addressText);
  if (address === undefined) return fail("Invalid IP address in network", addressFix(addressText));
  const isMapped = address.version === 4 && addressText.includes(":");
  const maskText = slash === -1 ? undefined : text.slice(slash + 1);
  const bits = maskText === undefined ? widthOf(address) : maskBits(maskText, address, isMapped);
  if (bits === "not contiguous") {
    return fail("Mask with a hole", "write ones and then zeros, and one line for each network");
  }
  if (bits === undefined || bits > widthOf(address)) return fail("Invalid network mask", FORMS);
  return onBoundary({ address, prefixLength: bits });
}

/** False where the versions differ. */
export function subnetContains(subnet: Subnet, address: IpAddress): boolean {
  if (subnet.address.version !== address.version) return false;
  const masked = maskBytes(address.bytes, subnet.prefixLength);
  return masked.every((octet, at) => octet === subnet.address.bytes[at]);
}

/** `10.0.0.0/8`, `2001:db8::/32`. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatIpAddress(subnet.address)}/${subnet.prefixLength}`;
}

function onBoundary(subnet: Subnet): SubnetResult {
  if (subnetContains(subnet, subnet.address)) return { ok: true, subnet };
  const { address: { version, bytes }, prefixLength } = subnet;
  const address = { version, bytes: maskBytes(bytes, prefixLength) };
  const wider = formatSubnet({ address, prefixLength });
  return fail(
    "Network address has bits outside its mask",
    `write ${wider} for the network, or ${formatIpAddress(subnet.address)} for the one host`,
  );
}

function maskBits(
  text: string,
  address: IpAddress,
  isMapped: boolean,
): number | "not contiguous" | undefined {
  const mayBeDotted = address.version === 4 && !isMapped;
  return mayBeDotted && text.includes(".") ? dottedMaskBits(text) : prefixBits(text, isMapped);
}

/** The 96 bits in front of a v4-mapped address are not in its IPv4 form. */
function prefixBits(text: string, isMapped: boolean): number | undefined {
  if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) return undefined;
  const bits = Number(text) - (isMapped ? 96 : 0);
  return bits >= 0 ? bits : undefined;
}

function dottedMaskBits(text: string): number | "not contiguous" | undefined {
  const mask = text.includes(":") ? undefined : parseIpAddress(text);
  if (mask === undefined) return undefined;
  const bits = Array.from(mask.bytes, (octet) => octet.toString(2).padStart(8, "0")).join("");
  const ones = /^(1*)0*$/.exec(bits)?.[1];
  return ones === undefined ? "not contiguous" : ones.length;
}

function maskBytes(bytes: Uint8Array, prefixLength: number): Uint8Array {
  return bytes.map((octet, at) => {
    const bits = Math.min(Math.max(prefixLength - 8 * at, 0), 8);
    return octet & (0xff00 >> bits);
  });
}

function widthOf(address: IpAddress): number {
  return address.version === 4 ? 32 : 128;
}

/** tsocks 1.8 read 010.0.0.0 as 8.0.0.0: say so, since whoever wrote it may have meant 10.0.0.0. */
function addressFix(text: string): string {
  const bytes = readLegacyNumeric(text);
  if (bytes === undefined) return FORMS;
  return `write four decimal numbers without leading zeros: inet_aton(3) reads it as ${
    bytes.join(".")
  }`;
}

function fail(message: string, fix: string): SubnetResult {
  return { ok: false, message, fix };
}

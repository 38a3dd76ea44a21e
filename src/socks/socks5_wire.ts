/**
 * SOCKS5 on the wire: constants, and the part that requests and replies share (ATYP, address,
 * port). No state. Source: RFC 1928 §3–6, RFC 1929 §2.
 */

import { addressFromBytes, type IpAddress } from "../net/address.ts";
import { concatOctets, encodeUint16 } from "./octets.ts";

export const VER_SOCKS5 = 0x05;
export const METHOD_NO_AUTHENTICATION = 0x00;
export const METHOD_USERNAME_PASSWORD = 0x02;
export const METHOD_NO_ACCEPTABLE_METHODS = 0xff;
/** RFC 1929 counts the versions of its subnegotiation, not of SOCKS. */
export const VER_USERNAME_PASSWORD = 0x01;
export const STATUS_SUCCESS = 0x00;
export const STATUS_FAILURE = 0x01;
export const CMD_CONNECT = 0x01;
export const CMD_BIND = 0x02;
export const CMD_UDP_ASSOCIATE = 0x03;
export const RSV = 0x00;
export const ATYP_IPV4 = 0x01;
export const ATYP_DOMAINNAME = 0x03;
export const ATYP_IPV6 = 0x04;
export const REP_SUCCEEDED = 0x00;

/** An address field as it stands: what the name's octets mean is for the reader to say. */
export type WireEndpoint =
  | { kind: "address"; address: IpAddress; port: number }
  | { kind: "name"; name: Uint8Array; port: number };

/**
 * ATYP, address and port (RFC 1928 §5); `name` has at most 255 octets, which the caller checks.
 *
 *   +------+----------+----------+
 *   | ATYP | DST.ADDR | DST.PORT |
 *   +------+----------+----------+
 *   |  1   | Variable |    2     |   // 1 + 4 + 2, 1 + 16 + 2, or 1 + (1 + name) + 2
 *   +------+----------+----------+
 */
export function encodeEndpoint(endpoint: WireEndpoint): Uint8Array {
  const port = encodeUint16(endpoint.port);
  if (endpoint.kind === "name") {
    const header = new Uint8Array([ATYP_DOMAINNAME, endpoint.name.length]);
    return concatOctets(header, endpoint.name, port);
  }
  const { version, bytes } = endpoint.address;
  return concatOctets(new Uint8Array([version === 4 ? ATYP_IPV4 : ATYP_IPV6]), bytes, port);
}

/**
 * Octets that the endpoint at the start of `octets` takes, ATYP and port included.
 * `incomplete` until the octet that tells has come, `unknown` for an ATYP that RFC 1928 lacks.
 */
export function endpointLength(octets: Uint8Array): number | "incomplete" | "unknown" {
  const [atyp, nameLength] = octets;
  switch (atyp) {
    case ATYP_IPV4:
      return 1 + 4 + 2;
    case ATYP_IPV6:
      return 1 + 16 + 2;
    case ATYP_DOMAINNAME:
      return nameLength === undefined ? "incomplete" : 1 + 1 + nameLength + 2;
    case undefined:
      return "incomplete";
    default:
      return "unknown";
  }
}

/** Inverse of encodeEndpoint(). `octets`: exactly endpointLength() of them. */
export function decodeEndpoint(octets: Uint8Array): WireEndpoint {
  const portAt = octets.length - 2;
  const port = new DataView(octets.buffer, octets.byteOffset).getUint16(portAt);
  if (octets[0] === ATYP_DOMAINNAME) {
    return { kind: "name", name: octets.slice(2, portAt), port };
  }
  return { kind: "address", address: addressFromBytes(octets.slice(1, portAt)), port };
}

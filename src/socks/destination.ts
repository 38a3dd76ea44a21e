/**
 * Destinations as protocols write them: host text or name octets, checked before they are believed
 * (server side) or sent (client side). Address syntax itself is net/address.ts's.
 */

import { type Destination, parseIpAddress } from "../net/address.ts";
import { makeFailure } from "./failure.ts";
import type { Failure } from "./machine.ts";
import { decodeText, encodeText } from "./octets.ts";

/** RFC 1928 §5 has one octet for the length; SOCKS 4a and HTTP are held to the same. */
export const MAX_NAME_OCTETS = 255;

/** Blanks, controls and delimiters, which would be read as something else: X'00' ends a 4a name. */
const IMPOSSIBLE_IN_NAME = /[\0-\x20\x7f/?#@:[\]\\%]/;

/**
 * A destination from the text of its host (no brackets). Numeric text is an address, so that the
 * rules for addresses see it. Fails as checkName() does.
 */
export function destinationFromText(
  host: string,
  port: number,
): Destination | { failure: Failure } {
  const address = parseIpAddress(host);
  if (address !== undefined) return { kind: "address", address, port };
  const failure = checkName(host);
  return failure === undefined ? { kind: "name", name: host, port } : { failure };
}

/** As destinationFromText(), for a name's octets; NAME_NOT_FOUND where they are not UTF-8. */
export function destinationFromOctets(
  name: Uint8Array,
  port: number,
): Destination | { failure: Failure } {
  const text = decodeText(name);
  return text === undefined
    ? { failure: makeFailure("NAME_NOT_FOUND", "the name is not UTF-8") }
    : destinationFromText(text, port);
}

/** Why `name` cannot be sent or looked up, if so: NAME_TOO_LONG or NAME_NOT_FOUND. */
export function checkName(name: string): Failure | undefined {
  const length = encodeText(name).length;
  if (length > MAX_NAME_OCTETS) {
    return makeFailure("NAME_TOO_LONG", `the name has ${length} octets, 255 are possible`);
  }
  if (length === 0) return makeFailure("NAME_NOT_FOUND", "the name is empty");
  if (IMPOSSIBLE_IN_NAME.test(name)) {
    return makeFailure("NAME_NOT_FOUND", "the name has characters that no name has");
  }
}

/** `host:port` or `[IPv6]:port` (RFC 3986 §3.2 without userinfo); undefined where malformed. */
export function parseAuthority(
  text: string,
  defaultPort: number | undefined,
): { host: string; port: number } | undefined {
  const [, ipv6, name = "", digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ??
    [];
  const host = ipv6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === "" || port === undefined || port > 65535) return undefined;
  if (ipv6 !== undefined && !ipv6.includes(":")) return undefined;
  return { host, port };
}

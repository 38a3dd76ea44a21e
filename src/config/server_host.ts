/**
 * The host part of a server, as `server =` and a server's URL write it: a strict IP address or a
 * host name. It is resolved when it is connected to, not here.
 */

import { formatIpAddress, parseIpAddress } from "../net/address.ts";
import { isHostname } from "../net/hostname.ts";
import { fail, type Failed } from "./diagnostic.ts";

/** `10.1.4.253`, `::1`, `[::1]` or `socks.example` → the hostname without brackets. */
export function parseServerHost(text: string): { ok: true; hostname: string } | Failed {
  const inBrackets = /^\[(.*:.*)\]$/.exec(text)?.[1];
  const address = parseIpAddress(inBrackets ?? text);
  if (address !== undefined) return { ok: true, hostname: formatIpAddress(address) };
  if (isHostname(text)) return { ok: true, hostname: text };
  return fail("Invalid server", "write an IP address or a host name, such as 10.1.4.253");
}

/** `dns_server = IP[:PORT]` and --dns-server: where questions of DNS go. A name would have to be looked up first. */

import { type IpAddress, parseIpAddress } from "../net/address.ts";
import { parsePort } from "./ports.ts";

const DNS_PORT = 53;

/** `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`; else undefined. */
export function parseDnsServer(text: string): { address: IpAddress; port: number } | undefined {
  const [, inet6, inet, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]+)$/.exec(text) ?? [];
  const address = parseIpAddress(inet6 ?? inet ?? text);
  const port = digits === undefined ? DNS_PORT : parsePort(digits);
  const isBracketed = inet6 === undefined || inet6.includes(":");
  return address === undefined || port === undefined || !isBracketed
    ? undefined
    : { address, port };
}

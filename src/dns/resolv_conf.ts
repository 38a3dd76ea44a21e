/**
 * resolv.conf(5): which name servers this machine's resolver asks. Nothing else of it concerns us.
 */

import { type IpAddress, parseIpAddress } from "../net/address.ts";

/** In the order of the file; libc's own default, 127.0.0.1, where it names none. */
export function parseNameservers(text: string): IpAddress[] {
  const found = text.split("\n")
    .map((line) => /^nameserver\s+([^\s%#;]+)/.exec(line)?.[1])
    .map((word) => word === undefined ? undefined : parseIpAddress(word))
    .filter((address) => address !== undefined);
  return found.length > 0 ? found : [parseIpAddress("127.0.0.1")!];
}

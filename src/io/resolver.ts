/**
 * This machine's own resolver: /etc/hosts as it is now, and getaddrinfo(3). Asked only for names
 * that the policy leaves to this machine.
 */

import { lookup } from "node:dns/promises";
import { readFileSync, statSync } from "node:fs";
import { parseIpAddress } from "../net/address.ts";
import { type Hosts, parseHosts } from "../policy/names.ts";
import type { Lookup } from "./router.ts";

/** The addresses of a name in the resolver's order; none where there is no such name. */
export const systemLookup: Lookup = async (name) => {
  try {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => parseIpAddress(address)).filter((a) => a !== undefined);
  } catch {
    return [];
  }
};

/** /etc/hosts, read again when the file has changed; empty where it cannot be read. */
export function watchHostsFile(filePath = "/etc/hosts"): () => Hosts {
  let seenMs = -1;
  let hosts: Hosts = new Map();
  return () => {
    try {
      const { mtimeMs } = statSync(filePath);
      if (mtimeMs !== seenMs) hosts = parseHosts(readFileSync(filePath, "utf8"));
      seenMs = mtimeMs;
    } catch {
      hosts = new Map();
    }
    return hosts;
  };
}

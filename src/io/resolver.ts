/**
 * This machine's own resolver: /etc/hosts as it is now, and getaddrinfo(3). Asked only for names
 * that the policy leaves to this machine.
 */

import { lookup, lookupService } from "node:dns/promises";
import { readFileSync, statSync } from "node:fs";
import { parseNameservers } from "../dns/resolv_conf.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../net/address.ts";
import { type Hosts, parseHosts } from "../policy/names.ts";
import type { Lookup } from "./router.ts";

/** The addresses of a name in the resolver's order; none where there is no such name, undefined where none can tell now. */
export const systemLookup: Lookup = async (name) => {
  try {
    const found = await lookup(name, { all: true });
    return found.map(({ address }) => parseIpAddress(address)).filter((a) => a !== undefined);
  } catch (error) {
    return (error as { code?: string }).code === "EAI_AGAIN" ? undefined : [];
  }
};

/** The name of an address that goes direct, or is in /etc/hosts; undefined where it has none. */
export async function systemReverse(address: IpAddress): Promise<string | undefined> {
  const text = formatIpAddress(address);
  try {
    const { hostname } = await lookupService(text, 0);
    return hostname === text ? undefined : hostname;
  } catch {
    return undefined;
  }
}

/** /etc/hosts, read again when the file has changed; empty where it cannot be read. */
export function watchHostsFile(filePath = "/etc/hosts"): () => Hosts {
  return watchFile(filePath, parseHosts);
}

/** The name servers of /etc/resolv.conf in the same way; libc's default where it cannot be read. */
export function watchNameservers(filePath = "/etc/resolv.conf"): () => IpAddress[] {
  return watchFile(filePath, parseNameservers);
}

function watchFile<T>(filePath: string, parse: (text: string) => T): () => T {
  let seenMs = -1;
  let parsed = parse("");
  return () => {
    try {
      const { mtimeMs } = statSync(filePath);
      if (mtimeMs !== seenMs) parsed = parse(readFileSync(filePath, "utf8"));
      seenMs = mtimeMs;
    } catch {
      parsed = parse("");
    }
    return parsed;
  };
}

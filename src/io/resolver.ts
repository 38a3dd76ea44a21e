/**
 * This machine's own resolver: /etc/hosts as it is now, and getaddrinfo(3). Asked only for names
 * that the policy leaves to this machine.
 */

import { lookup } from "node:dns/promises";
import { readFileSync, statSync } from "node:fs";
import { parseIpAddress } from "../net/address.ts";
import { parseHostsNames } from "../policy/names.ts";
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

/** The names of /etc/hosts, read again when the file has changed. */
export function watchHostsFile(filePath = "/etc/hosts"): () => ReadonlySet<string> {
  let seenMs = -1;
  let names: ReadonlySet<string> = new Set();
  return () => {
    const mtimeMs = statSync(filePath, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (mtimeMs !== seenMs) {
      seenMs = mtimeMs;
      names = mtimeMs === 0 ? new Set() : parseHostsNames(readFileSync(filePath, "utf8"));
    }
    return names;
  };
}

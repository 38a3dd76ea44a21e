/**
 * Who resolves a name: the SOCKS server (the program is given a reserved address, so that nothing
 * reaches the local resolver), or this machine. Pure; the look-up itself is the edge's.
 */

import type { Config, Server } from "../config/model.ts";
import { isLegacyNumeric, parseIpAddress } from "../net/address.ts";
import { matchesPattern, normalizeName } from "../net/hostname.ts";
import { checkName } from "../socks/destination.ts";
import { isLocalhostName } from "./decide.ts";

export type NameTreatment =
  /** libc resolves it as always: numeric text, localhost, /etc/hosts, or no server takes names. */
  | "libc"
  /** `local_name`: this machine resolves it, and what it resolves to is direct. */
  | "local"
  /** The name travels; the program sees a reserved address. */
  | "server"
  /** Not a name at all: empty, too long, or with characters that no name has. */
  | "invalid";

/**
 * How `name` is to be resolved. `hostsNames` are the normalised names of /etc/hosts.
 * A name goes to libc only if none of the servers that could carry it takes names (`server_type = 4`),
 * which is what tsocks 1.8 did with every name.
 */
export function nameTreatment(
  config: Config,
  hostsNames: ReadonlySet<string>,
  name: string,
): NameTreatment {
  if (isNumericText(name)) return "libc";
  if (checkName(name) !== undefined) return "invalid";
  const normalized = normalizeName(name);
  if (isLocalhostName(normalized) || hostsNames.has(normalized)) return "libc";
  if (config.localNames.some((rule) => matchesPattern(normalized, rule.pattern))) return "local";
  const servers = possibleServers(config, normalized);
  if (servers.length === 0) return config.fallback.isOn ? "libc" : "server";
  return servers.some((server) => server.type !== "4") ? "server" : "libc";
}

/** What getaddrinfo(3) reads as an address: strict text, IPv6 with a zone, the forms of inet_aton(3). */
function isNumericText(text: string): boolean {
  const address = text.includes(":") ? text.replace(/%.*$/s, "") : text;
  return parseIpAddress(address) !== undefined || isLegacyNumeric(text);
}

function possibleServers(config: Config, name: string): Server[] {
  const paths = config.paths.filter((path) =>
    path.reachesNames.some((rule) => matchesPattern(name, rule.pattern))
  );
  return [...paths.map((path) => path.server), config.defaultServer]
    .filter((server) => server !== undefined);
}

/** The names of a hosts(5) file, normalised. */
export function parseHostsNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const line of text.split("\n")) {
    const [, ...words] = line.replace(/#.*/, "").trim().split(/\s+/);
    for (const word of words) names.add(normalizeName(word));
  }
  return names;
}

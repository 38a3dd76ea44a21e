/**
 * Who resolves a name: the SOCKS server (the program is given a reserved address, so that nothing
 * reaches the local resolver), or this machine. Pure; the look-up itself is the edge's.
 */

import type { Config, Path, Server } from "../config/model.ts";
import {
  addressFromBytes,
  formatIpAddress,
  type IpAddress,
  isLegacyNumeric,
  parseIpAddress,
} from "../net/address.ts";
import { readLegacyNumeric } from "../net/legacy_numeric.ts";
import { matchesPattern, normalizeName } from "../net/hostname.ts";
import { checkName } from "../socks/destination.ts";
import { isLocalhostName } from "./decide.ts";

export type NameTreatment =
  /** Text of an address, in any form that libc takes. */
  | "numeric"
  /** Loopback by its name alone (RFC 6761 §6.3). */
  | "localhost"
  /** /etc/hosts has it. */
  | "hosts"
  /** No server takes names: libc resolves it as always. */
  | "libc"
  /** `dns = tcp`: a DNS server is asked through the SOCKS server; the program sees what it says. */
  | "tcp"
  /** `local_name`: this machine resolves it, and what it resolves to is direct. */
  | "local"
  /** The name travels; the program sees a reserved address. */
  | "server"
  /** Not a name at all: empty, too long, or with characters that no name has. */
  | "invalid";

/** What musl reads of a line of hosts(5), without its end. */
const MAX_HOSTS_LINE_LEN = 510;
const UTF8 = new TextEncoder();

/** What a hosts(5) file has. */
export interface Hosts {
  /** By normalised name, in the file's order. */
  addresses: ReadonlyMap<string, readonly IpAddress[]>;
  /**
   * Names as written, and addresses in their one form, with the families that every libc finds there. libc asks a name
   * server for the same name with a dot at its end, musl also for one with other capitals.
   */
  written: ReadonlyMap<string, ReadonlySet<4 | 6>>;
}

/**
 * How `name` is to be resolved. With `dns = remote` a name goes to libc only if none of the servers that could carry it takes names (`server_type = 4`),
 * which is what tsocks 1.8 did with every name.
 */
export function nameTreatment(
  config: Config,
  hosts: Hosts,
  name: string,
): NameTreatment {
  if (isNumericText(name)) return "numeric";
  if (checkName(name) !== undefined) return "invalid";
  const normalized = normalizeName(name);
  if (isLocalhostName(normalized)) return "localhost";
  if (config.localNames.some((rule) => matchesPattern(normalized, rule.pattern))) return "local";
  if (hosts.addresses.has(normalized)) return "hosts";
  const { mode } = config.dns;
  if (mode !== "remote") return mode === "tcp" ? "tcp" : "libc";
  return isLeftToLibc(config, possibleServers(config, normalized)) ? "libc" : "server";
}

/** Whether libc may resolve whatever name there is: `dns = local`, or no path and no default server takes names. */
export function leavesNamesToLibc(config: Config): boolean {
  if (config.dns.mode !== "remote") return config.dns.mode === "local";
  const paths = config.paths.filter((path) => path.reachesNames.length > 0);
  const isRefused = paths.some((path) => path.server === undefined);
  return !isRefused && isLeftToLibc(config, serversOf(config, paths));
}

/** Of the servers that could carry a name: whether none takes names. Without any, `fallback` decides. */
function isLeftToLibc(config: Config, servers: Server[]): boolean {
  return servers.length === 0
    ? config.fallback.isOn
    : servers.every((server) => server.type === "4");
}

/** Whether libc finds the name, in a family if one is given, without asking a name server. */
export function isInHosts(hosts: Hosts, name: string, family: 0 | 4 | 6): boolean {
  const families = hosts.written.get(name);
  return families !== undefined && (family === 0 || families.has(family));
}

/**
 * Whether getaddrinfo(3) of glibc would ask a name server for it, and not call it no name at once: its
 * letters, no hyphen first, no empty label, more than digits and dots. Octets above ASCII are left
 * to the server.
 */
export function isAskedFor(name: string): boolean {
  return /^(?!-)[\w.\-\x80-\uffff]+$/.test(name) && !/^\..|\.\./.test(name) &&
    !/^[\d.]*\d[\d.]*$/.test(name);
}

/**
 * The address of a numeric text, or `libc` for IPv6 with a zone, which only libc can read. Not
 * left to libc otherwise: gethostbyname(3) does not know all that inet_aton(3) reads.
 */
export function numericAddresses(text: string): IpAddress[] | "libc" {
  const address = parseIpAddress(text);
  if (address !== undefined) return [address];
  const bytes = readLegacyNumeric(text);
  return bytes === undefined ? "libc" : [addressFromBytes(bytes)];
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
  return serversOf(config, paths);
}

/** The servers of these paths, and the default one. */
function serversOf(config: Config, paths: Path[]): Server[] {
  return [...paths.map((path) => path.server), config.defaultServer]
    .filter((server) => server !== undefined);
}

/** The addresses of a name that the file has in whatever spelling. */
export function hostsAddresses(hosts: Hosts, name: string): IpAddress[] {
  return [...hosts.addresses.get(normalizeName(name)) ?? []];
}

/** Of a line glibc reads strict addresses only; musl none that is indented, longer than its buffer, or not ended. */
export function parseHosts(text: string): Hosts {
  const addresses = new Map<string, IpAddress[]>();
  const written = new Map<string, Set<4 | 6>>();
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    const [first = "", ...names] = line.split("#")[0]!.split(/[ \t\v\f\r]+/).filter(Boolean);
    const address = parseIpAddress(first);
    if (address === undefined || names.length === 0) return;
    for (const name of names) {
      const key = normalizeName(name);
      const known = addresses.get(key);
      if (known === undefined) addresses.set(key, [address]);
      else known.push(address);
    }
    const isOddToMusl = !line.startsWith(first) || at === lines.length - 1 ||
      3 * line.length > MAX_HOSTS_LINE_LEN && UTF8.encode(line).length > MAX_HOSTS_LINE_LEN;
    if (isOddToMusl) return;
    const family = first.includes(":") ? 6 : 4;
    for (const word of [formatIpAddress(address), ...names]) {
      written.set(word, (written.get(word) ?? new Set()).add(family));
    }
  });
  return { addresses, written };
}

/**
 * What a configuration says, whichever form it was written in: the types that tsocks.conf(5) and
 * the command line are read into and that the policy decides by. Types only, and the two helpers
 * that make printing them safe.
 */

import type { Place } from "../errors.ts";
import type { IpAddress } from "../net/address.ts";
import type { Subnet } from "../net/subnet.ts";

/** `server_type`: SOCKS 4, 4a (RFC-less, by its authors' notes), 5 (RFC 1928), HTTP CONNECT. */
export type ServerType = "4" | "4a" | "5" | "http";

export type DnsMode = "remote" | "local" | "tcp";

/** A user name and password that print as `[redacted]` whatever prints them. */
export class Credentials {
  readonly user: string;
  readonly #password: string | undefined;

  constructor(user: string, password: string | undefined) {
    this.user = user;
    this.#password = password;
  }

  /** The password for the wire, and for nothing else. */
  revealPassword(): string | undefined {
    return this.#password;
  }

  get hasPassword(): boolean {
    return this.#password !== undefined;
  }

  toString(): string {
    return "[redacted]";
  }

  toJSON(): string {
    return "[redacted]";
  }
}

/** One SOCKS or HTTP server. */
export interface Server {
  type: ServerType;
  /** A strict IP literal (no brackets) or a host name. */
  hostname: string;
  /** 1–65535. */
  port: number;
  credentials: Credentials;
  /** Where its `server` was written. */
  place: Place;
}

/** First and last port, both included, 0–65535; `{ first: 0, last: 65535 }` is any. */
export interface PortRange {
  first: number;
  last: number;
}

/** `local = NET` or `reaches = NET`. */
export interface NetworkRule {
  subnet: Subnet;
  ports: PortRange;
  /** As the user wrote it, for the log. */
  text: string;
  place: Place;
}

/** `local_name = PATTERN` or `reaches_name = PATTERN`. */
export interface NameRule {
  /** Lower case, without a trailing dot: `host.example`, or `*.example` (below, not `example` itself), or `*`. */
  pattern: string;
  ports: PortRange;
  text: string;
  place: Place;
}

/** A `path { }` block, or `--server` with `--reaches`. */
export interface Path {
  /** Absent where the block named none: then what it reaches is refused, as in tsocks 1.8. */
  server: Server | undefined;
  reaches: NetworkRule[];
  reachesNames: NameRule[];
  place: Place;
}

export interface Config {
  locals: NetworkRule[];
  localNames: NameRule[];
  /** In the order of the file; the last that matches wins (tsocks 1.8 prepends). */
  paths: Path[];
  defaultServer: Server | undefined;
  /** Debian's `fallback`: with no default server, go direct instead of refusing. */
  fallback: { isOn: boolean; place: Place | undefined };
  /** `udp = direct`: datagrams go past the servers, which carry none; otherwise they are refused. */
  udp: { isDirect: boolean; place: Place | undefined };
  /** `dns`: who looks names up that no rule keeps here. remote: the server; local: libc; tcp: `dnsServer`. */
  dns: { mode: DnsMode; place: Place | undefined };
  /** `dns_server`: asked over TCP, as the policy has it. */
  dnsServer: { address: IpAddress; port: number; place: Place } | undefined;
}

/** A complaint about one spot of a configuration; all of them are reported, not the first. */
export interface Diagnostic {
  severity: "error" | "warning";
  message: string;
  fix: string;
  place: Place;
}

/** `socks5://10.1.4.253:1080`, never with credentials; IPv6 in brackets. */
export function formatServer(server: Server): string {
  const scheme = server.type === "http" ? "http" : `socks${server.type}`;
  const hostname = server.hostname.includes(":") ? `[${server.hostname}]` : server.hostname;
  return `${scheme}://${hostname}:${server.port}`;
}

/**
 * The policy: one destination in, one decision with its reason out. Pure, and the only place where
 * a rule is weighed. Order as in tsocks 1.8: local first, then the paths from the last written to
 * the first, then the default server.
 */

import type { Config, NameRule, NetworkRule, Path, PortRange, Server } from "../config/model.ts";
import { formatServer } from "../config/model.ts";
import { formatPlace, type Place } from "../errors.ts";
import { type Destination, type IpAddress, isLoopback, isUnspecified } from "../net/address.ts";
import { matchesPattern, normalizeName } from "../net/hostname.ts";
import { subnetContains } from "../net/subnet.ts";

/** Which rule decided, for the log: words, and where they were written if a user wrote them. */
export interface Reason {
  text: string;
  place: Place | undefined;
}

export type Decision =
  | { action: "direct"; reason: Reason }
  | { action: "forward"; server: Server; reason: Reason }
  | { action: "refuse"; reason: Reason }
  /** A name server's: the forwarder speaks in its place. */
  | { action: "answer"; reason: Reason };

/** Decide where a connection to `destination` goes. A name is matched as a name, never resolved. */
export function decide(config: Config, destination: Destination): Decision {
  return decideByRule(config, destination) ?? decideDefault(config);
}

/** As decide(), but undefined where only the default server or `fallback` would apply. */
export function decideByRule(config: Config, destination: Destination): Decision | undefined {
  return decideLocal(config, destination) ?? decidePath(config, destination);
}

/** Decide on a datagram, which no server carries: it goes direct or nowhere. */
export function decideDatagram(config: Config, destination: Destination): Decision {
  const local = decideLocal(config, destination);
  if (local !== undefined) return local;
  const { isDirect, place } = config.udp;
  if (isDirect) return { action: "direct", reason: { text: "udp = direct", place } };
  const text = place === undefined ? "udp = refuse, the default" : "udp = refuse";
  return { action: "refuse", reason: { text, place } };
}

/** Whether a rule or its own nature keeps the destination here, whatever servers there are. */
export function isLocal(config: Config, destination: Destination): boolean {
  return decideLocal(config, destination) !== undefined;
}

/** What is meant for a name server, where this machine is not to tell one its names. */
export function decideDns({ dns: { mode, place } }: Config): Decision {
  const text = place === undefined ? `dns = ${mode}, the default` : `dns = ${mode}`;
  return { action: "answer", reason: { text, place } };
}

/** `local 10.0.0.0/8 (/etc/tsocks.conf:4)` */
export function formatReason(reason: Reason): string {
  return reason.place === undefined ? reason.text : `${reason.text} (${formatPlace(reason.place)})`;
}

/** `localhost` and what is below it (RFC 6761 §6.3). */
export function isLocalhostName(name: string): boolean {
  return matchesPattern(name, "localhost") || matchesPattern(name, "*.localhost");
}

function decideLocal(config: Config, destination: Destination): Decision | undefined {
  if (destination.kind === "name") {
    if (isLocalhostName(normalizeName(destination.name))) {
      return { action: "direct", reason: { text: "loopback", place: undefined } };
    }
    const rule = findNameRule(config.localNames, destination.name, destination.port);
    return rule && { action: "direct", reason: reasonOf("local_name", rule) };
  }
  if (isLoopback(destination.address) || isUnspecified(destination.address)) {
    return { action: "direct", reason: { text: "loopback", place: undefined } };
  }
  const rule = findNetworkRule(config.locals, destination.address, destination.port);
  return rule && { action: "direct", reason: reasonOf("local", rule) };
}

function decidePath(config: Config, destination: Destination): Decision | undefined {
  for (const path of config.paths.toReversed()) {
    const rule = findReach(path, destination);
    if (rule === undefined) continue;
    const reason = reasonOf(destination.kind === "name" ? "reaches_name" : "reaches", rule);
    if (path.server !== undefined) return { action: "forward", server: path.server, reason };
    return {
      action: "refuse",
      reason: { ...reason, text: `${reason.text}: its path has no server` },
    };
  }
}

function decideDefault(config: Config): Decision {
  if (config.defaultServer !== undefined) {
    const reason = { text: "default server", place: config.defaultServer.place };
    return { action: "forward", server: config.defaultServer, reason };
  }
  if (config.fallback.isOn) {
    return { action: "direct", reason: { text: "fallback = yes", place: config.fallback.place } };
  }
  const text = "no path reaches it and there is no default server";
  return { action: "refuse", reason: { text, place: undefined } };
}

function findReach(path: Path, destination: Destination): NameRule | NetworkRule | undefined {
  return destination.kind === "name"
    ? findNameRule(path.reachesNames, destination.name, destination.port)
    : findNetworkRule(path.reaches, destination.address, destination.port);
}

function findNameRule(rules: NameRule[], name: string, port: number): NameRule | undefined {
  const normalized = normalizeName(name);
  return rules.find((rule) =>
    isInRange(rule.ports, port) && matchesPattern(normalized, rule.pattern)
  );
}

function findNetworkRule(
  rules: NetworkRule[],
  address: IpAddress,
  port: number,
): NetworkRule | undefined {
  return rules.find((rule) => isInRange(rule.ports, port) && subnetContains(rule.subnet, address));
}

function isInRange(ports: PortRange, port: number): boolean {
  return ports.first <= port && port <= ports.last;
}

function reasonOf(directive: string, rule: NameRule | NetworkRule): Reason {
  return { text: `${directive} ${rule.text}`, place: rule.place };
}

/** The word for the log's server column: the server, or `-` where none is used. */
export function formatDecisionServer(decision: Decision): string {
  return decision.action === "forward" ? formatServer(decision.server) : "-";
}

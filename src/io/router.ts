/**
 * From what a program asked for to where it goes: turns reserved addresses back into names, asks
 * the policy, and has those names resolved that this machine must resolve. Dials nothing.
 */

import type { Config } from "../config/model.ts";
import {
  type Destination,
  formatDestination,
  formatIpAddress,
  type IpAddress,
  isLoopback,
  isUnspecified,
  parseIpAddress,
} from "../net/address.ts";
import { normalizeName } from "../net/hostname.ts";
import {
  decide,
  decideByRule,
  decideDatagram,
  decideDns,
  type Decision,
  isLocal,
} from "../policy/decide.ts";
import {
  type Hosts,
  hostsAddresses,
  isAskedFor,
  isInHosts,
  leavesNamesToLibc,
  type NameTreatment,
  nameTreatment,
  numericAddresses,
} from "../policy/names.ts";
import { isReserved, type ReservedNames } from "../policy/reserved_names.ts";
import { checkName } from "../socks/destination.ts";
import type { Failure, FailureCode } from "../socks/machine.ts";

/** The system's own resolver: the addresses of a name, none if there is no such name; undefined where it does not know now. */
export type Lookup = (name: string) => Promise<IpAddress[] | undefined>;

export interface RouterOptions {
  config: Config;
  /** Undefined where no program is given reserved addresses (`serve`): then they are like any other. */
  names: ReservedNames | undefined;
  /** /etc/hosts as it is now. */
  hosts: () => Hosts;
  lookup: Lookup;
  /** `dns = tcp`: the addresses of a name as a DNS server says, of one family at least; undefined where it does not answer. */
  lookupByTcp: (name: string, family: 0 | 4 | 6) => Promise<IpAddress[] | undefined>;
  /** The name servers of resolv.conf(5) as it is now. */
  nameservers: () => IpAddress[];
  /** `name:port` as asked for → where that is (`serve --map`). */
  maps: ReadonlyMap<string, { hostname: string; port: number }>;
}

/** A decided destination. */
export interface Route {
  /** For the log: `hello.example:80`. */
  label: string;
  decision: Decision;
  /** What is dialled: the name or address that the server is told. */
  target: Destination;
  /** Set where there is nothing to dial: refused, or a name that does not exist. */
  failure: Failure | undefined;
}

const DNS_PORT = 53;

/** RFC 6761 §6.3 */
const LOOPBACK = ["127.0.0.1", "::1"].map((text) => parseIpAddress(text)!);

/** What a local name resolved to stays direct; more than this many are forgotten, oldest first. */
const MAX_LEARNED = 4096;

export class Router {
  readonly #options: RouterOptions;
  /** Addresses of local names, and the name; the last used at the end. */
  readonly #learned = new Map<string, string>();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /** Decide on a destination as a program named it. Never rejects. */
  async route(asked: Destination): Promise<Route> {
    const { maps } = this.#options;
    const mapped = maps.size > 0 && maps.get(formatDestination(asked).toLowerCase());
    if (mapped) return mapRoute(asked, mapped);
    const destination = this.#unreserve(asked);
    if (destination === undefined) {
      const text = `reserved address ${formatDestination(asked)} stands for no name of this run`;
      return refusal(asked, "NETWORK_UNREACHABLE", text);
    }
    return destination.kind === "name"
      ? await this.#routeName(destination)
      : this.#routeAddress(destination, formatDestination(destination));
  }

  /** Decide on a datagram. An address that stands for a name is refused: the name is the server's to resolve. */
  routeDatagram(asked: Destination & { kind: "address" }): { label: string; decision: Decision } {
    const to = this.#unreserve(asked);
    if (this.answersDns(asked)) {
      return { label: formatDestination(to ?? asked), decision: decideDns(this.#options.config) };
    }
    if (to?.kind === "address") {
      const decision = this.#decideLearned(to) ?? decideDatagram(this.#options.config, to);
      return { label: formatDestination(to), decision };
    }
    const text = to === undefined
      ? "a reserved address that stands for no name of this run"
      : "the server resolves this name, and carries no datagrams";
    const decision: Decision = { action: "refuse", reason: { text, place: undefined } };
    return { label: formatDestination(to ?? asked), decision };
  }

  /**
   * Whether what goes there is for a name server, so that we answer it: beyond what is local, and to
   * this machine's own name servers wherever they are, unless libc asks them by itself.
   */
  answersDns({ address, port }: Destination & { kind: "address" }): boolean {
    const { config, names } = this.#options;
    if (port !== DNS_PORT || names === undefined || config.dns.mode === "local") return false;
    if (!this.leavesNamesToLibc() && this.#isOwnNameServer(address)) return true;
    const to = { kind: "address" as const, address, port };
    return !isLocal(config, to) && this.#decideLearned(to) === undefined;
  }

  #isOwnNameServer(address: IpAddress): boolean {
    const servers = this.#options.nameservers();
    if (isUnspecified(address)) return servers.some((at) => isLoopback(at) || isUnspecified(at));
    return servers.map(formatIpAddress).includes(formatIpAddress(address));
  }

  /** The route of a connection that answersDns(). */
  routeDns(asked: Destination): Route {
    const label = formatDestination(this.#unreserve(asked) ?? asked);
    const decision = decideDns(this.#options.config);
    return { label, target: asked, decision, failure: undefined };
  }

  treatmentOf(name: string): NameTreatment {
    return nameTreatment(this.#options.config, this.#options.hosts(), name);
  }

  /**
   * What getaddrinfo(3) of `name` is to be told: addresses, none, or `libc`: as without tsocks;
   * undefined where that could not be found out.
   * `family` 0 is any. libc is not asked for what its files do not have: it would ask a name server.
   */
  async resolve(name: string, family: 0 | 4 | 6): Promise<IpAddress[] | "libc" | undefined> {
    const { hosts, names, lookupByTcp } = this.#options;
    switch (this.treatmentOf(name)) {
      case "numeric":
        return numericAddresses(name);
      case "hosts":
        return isInHosts(hosts(), name, family) ? "libc" : hostsAddresses(hosts(), name);
      case "localhost":
        return isInHosts(hosts(), name, family) ? "libc" : LOOPBACK;
      case "libc":
        return "libc";
      case "invalid":
        return [];
      case "tcp":
        return await lookupByTcp(normalizeName(name), family);
      case "local":
        return await this.#resolveLocal(normalizeName(name));
      case "server": {
        const reserved = isAskedFor(name) ? names?.reserve(name, performance.now()) : undefined;
        return reserved === undefined ? [] : [reserved.v4, reserved.v6];
      }
    }
  }

  /**
   * What getnameinfo(3) of `address` is to be told: a name, none (undefined), or `libc`: as without
   * tsocks, which is for those of its files and those it connects to by itself. No other is asked about.
   */
  reverse(address: IpAddress): { name: string } | "libc" | undefined {
    const { config, hosts, names } = this.#options;
    if (names !== undefined && isReserved(address)) {
      const name = names.nameOf(address, performance.now());
      return name === undefined ? undefined : { name };
    }
    const learned = this.#learned.get(formatIpAddress(address));
    if (learned !== undefined) return { name: learned };
    if (isInHosts(hosts(), formatIpAddress(address), address.version)) return "libc";
    const { action } = decide(config, { kind: "address", address, port: 0 });
    return action === "direct" ? "libc" : undefined;
  }

  /** A connection to `target` is open until the returned function is called: its name keeps its address. */
  hold(target: Destination): () => void {
    const { names } = this.#options;
    const isNamed = target.kind === "name" && names !== undefined;
    return isNamed ? names.hold(target.name, () => performance.now()) : () => {};
  }

  /** Whether no name of any kind goes to a server, so that libc's own look-ups give nothing away. */
  leavesNamesToLibc(): boolean {
    return leavesNamesToLibc(this.#options.config);
  }

  async #resolveLocal(name: string): Promise<IpAddress[] | undefined> {
    const addresses = await this.#options.lookup(name);
    for (const address of addresses ?? []) this.#learn(formatIpAddress(address), name);
    return addresses;
  }

  #learn(address: string, name: string): void {
    this.#learned.delete(address);
    this.#learned.set(address, name);
    if (this.#learned.size > MAX_LEARNED) {
      this.#learned.delete(this.#learned.keys().next().value!);
    }
  }

  /** Undefined for a reserved address that stands for no name. */
  #unreserve(asked: Destination): Destination | undefined {
    const address = asked.kind === "name" ? parseIpAddress(asked.name) : asked.address;
    if (address === undefined) return asked;
    const { names } = this.#options;
    if (names === undefined || !isReserved(address)) {
      return { kind: "address", address, port: asked.port };
    }
    const name = names.nameOf(address, performance.now());
    return name === undefined ? undefined : { kind: "name", name, port: asked.port };
  }

  #routeAddress(target: Destination & { kind: "address" }, label: string): Route {
    const decision = this.#decideLearned(target) ?? decide(this.#options.config, target);
    return { label, target, decision, failure: policyFailure(decision) };
  }

  /** The program resolved a local name before: its rule counts, with its ports. */
  #decideLearned({ address, port }: Destination & { kind: "address" }): Decision | undefined {
    const name = this.#learned.get(formatIpAddress(address));
    if (name === undefined) return undefined;
    const decision = decideByRule(this.#options.config, { kind: "name", name, port });
    return decision?.action === "direct" ? decision : undefined;
  }

  async #routeName(asked: Destination & { kind: "name" }): Promise<Route> {
    const { config, hosts, lookup, lookupByTcp } = this.#options;
    const treatment = this.treatmentOf(asked.name);
    const isTcp = treatment === "tcp";
    const impossible = treatment === "invalid" ? checkName(asked.name) : undefined;
    if (impossible !== undefined) return refusal(asked, impossible.code, impossible.detail);
    const isServers = isTcp || treatment === "server";
    const decision = isServers ? decide(config, asked) : decideByRule(config, asked);
    const label = formatDestination(asked);
    if (decision !== undefined && takesName(decision)) {
      return { label, target: asked, decision, failure: policyFailure(decision) };
    }
    const name = normalizeName(asked.name);
    const isOddlyWritten = treatment === "hosts" && !isInHosts(hosts(), asked.name, 0);
    const found = isOddlyWritten
      ? hostsAddresses(hosts(), name)
      : isTcp
      ? await lookupByTcp(name, 0)
      : await lookup(name);
    const address = pickAddress(found ?? [], decision);
    if (address === undefined) {
      const detail = isTcp ? "looked up by dns = tcp" : "looked up on this machine";
      const failure: Failure = { code: "NAME_NOT_FOUND", detail };
      return { label, target: asked, decision: decision ?? decide(config, asked), failure };
    }
    const target = { kind: "address" as const, address, port: asked.port };
    return decision === undefined
      ? this.#routeAddress(target, label)
      : { label, target, decision, failure: undefined };
  }
}

function mapRoute(asked: Destination, to: { hostname: string; port: number }): Route {
  return {
    label: formatDestination(asked),
    target: { kind: "name", name: to.hostname, port: to.port },
    decision: { action: "direct", reason: { text: "--map", place: undefined } },
    failure: undefined,
  };
}

/** Whether the name itself may travel: not where this machine connects, nor through SOCKS 4. */
function takesName(decision: Decision): boolean {
  return decision.action === "refuse" ||
    decision.action === "forward" && decision.server.type !== "4";
}

function pickAddress(addresses: IpAddress[], decision: Decision | undefined) {
  const needsV4 = decision?.action === "forward";
  return addresses.find((address) => address.version === 4 || !needsV4);
}

function policyFailure(decision: Decision): Failure | undefined {
  if (decision.action !== "refuse") return undefined;
  return { code: "REFUSED_BY_POLICY", detail: decision.reason.text };
}

function refusal(asked: Destination, code: FailureCode, text: string): Route {
  const decision: Decision = { action: "refuse", reason: { text, place: undefined } };
  return {
    label: formatDestination(asked),
    target: asked,
    decision,
    failure: { code, detail: text },
  };
}

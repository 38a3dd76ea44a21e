/**
 * Questions that a name server must answer, over TCP (RFC 7766): the one of `dns_server`, reached as
 * the policy says, and for names that this machine resolves its own, directly. A connection for each
 * question, within one deadline; what comes back is checked to be its answer and no further.
 */

import { randomInt } from "node:crypto";
import type { Socket } from "node:net";
import type { Config } from "../config/model.ts";
import {
  buildQuery,
  isResponseTo,
  type Query,
  RCODE_NOERROR,
  RCODE_NXDOMAIN,
  readAddresses,
  readQuery,
  TYPE_A,
  TYPE_AAAA,
} from "../dns/message.ts";
import type { IpAddress } from "../net/address.ts";
import type { Connector } from "./connector.ts";
import { dialDirect, type DialResult } from "./dial.ts";
import { type Asker, UNKNOWN_ASKER } from "./log.ts";

export interface DnsUpstreamOptions {
  config: Config;
  /** Those of resolv.conf(5). */
  nameservers: () => IpAddress[];
  connector: Connector;
  /** From the question to the answer. */
  timeoutMs: number;
}

/** A program that asks a thousand things at once gets the rest refused. */
const MAX_ASKING = 64;
const DNS_PORT = 53;

export class DnsUpstream {
  readonly #options: DnsUpstreamOptions;
  #asking = 0;

  constructor(options: DnsUpstreamOptions) {
    this.#options = options;
  }

  /** Where questions go that are not for this machine; undefined: nowhere. */
  get server(): { address: IpAddress; port: number } | undefined {
    const { config, nameservers } = this.#options;
    if (config.dnsServer !== undefined || config.dns.mode !== "tcp") return config.dnsServer;
    const [address] = nameservers();
    return address && { address, port: DNS_PORT };
  }

  /** The server's answer as it is; undefined without one, or none in time. Never rejects. */
  ask(message: Uint8Array, query: Query, asker: Asker): Promise<Uint8Array | undefined> {
    const { server } = this;
    if (server === undefined) return Promise.resolve(undefined);
    return this.#exchange(message, query, async (signal) => {
      const { connector } = this.#options;
      const attempt = await connector.decide({ kind: "address", ...server }, asker);
      return await connector.dial(attempt, signal);
    });
  }

  /** The same of this machine's own name server, past the policy, as libc asks it. */
  askOwn(message: Uint8Array, query: Query): Promise<Uint8Array | undefined> {
    const { nameservers, timeoutMs } = this.#options;
    const to = { kind: "address" as const, address: nameservers()[0]!, port: DNS_PORT };
    return this.#exchange(message, query, (signal) => dialDirect(to, { timeoutMs, signal }));
  }

  /** The addresses of a name, IPv4 first; none where there is no such name, undefined without an answer. */
  async lookup(name: string): Promise<IpAddress[] | undefined> {
    const found = await Promise.all([TYPE_A, TYPE_AAAA].map((type) => this.#lookUp(name, type)));
    return found.every((addresses) => addresses === undefined)
      ? undefined
      : found.flatMap((addresses) => addresses ?? []);
  }

  async #lookUp(name: string, type: number): Promise<IpAddress[] | undefined> {
    const message = buildQuery(randomInt(65536), name, type);
    const read = message && readQuery(message);
    if (message === undefined || read?.kind !== "query") return [];
    const response = await this.ask(message, read.query, UNKNOWN_ASKER);
    const result = response && readAddresses(response);
    const isKnown = result?.rcode === RCODE_NOERROR || result?.rcode === RCODE_NXDOMAIN;
    return isKnown ? result.addresses : undefined;
  }

  async #exchange(
    message: Uint8Array,
    query: Query,
    dial: (signal: AbortSignal) => Promise<DialResult>,
  ): Promise<Uint8Array | undefined> {
    if (this.#asking >= MAX_ASKING) return undefined;
    this.#asking++;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#options.timeoutMs);
    try {
      const result = await dial(abort.signal);
      if (!result.ok) return undefined;
      const response = await converse(result.socket, result.rest, message, abort.signal);
      return response && isResponseTo(query, response) ? response : undefined;
    } finally {
      clearTimeout(timer);
      this.#asking--;
    }
  }
}

/** Sends LENGTH(2) MESSAGE and resolves to the first message that comes; undefined where none does. */
function converse(
  socket: Socket,
  rest: Uint8Array,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const take = (chunk: Uint8Array) => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.length < 2 ? Infinity : 2 + seen.readUInt16BE(0);
      if (seen.length < end) return;
      resolve(Uint8Array.from(seen.subarray(2, end)));
      socket.destroy();
    };
    socket.on("data", take);
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => resolve(undefined));
    signal.addEventListener("abort", () => socket.destroy());
    if (signal.aborted || socket.destroyed) return resolve(undefined), void socket.destroy();
    socket.write(lengthened(message));
    take(rest);
    socket.resume();
  });
}

/** A message as TCP carries it (RFC 1035 §4.2.2). */
export function lengthened(message: Uint8Array): Uint8Array {
  return Uint8Array.from([message.length >> 8, message.length & 255, ...message]);
}

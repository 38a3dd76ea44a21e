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

/** Each is a connection; more wait for their turn, within their time. */
const MAX_ASKING = 64;
/** Beyond these a program floods us, and the rest is refused. */
const MAX_WAITING = 4096;
const DNS_PORT = 53;

export class DnsUpstream {
  readonly #options: DnsUpstreamOptions;
  #asking = 0;
  /** Each is called when its turn has come; the first to wait is the first. */
  readonly #waiting = new Set<() => void>();

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

  /** The server's answer as it is; undefined without one, or none in time (until `abandoned`). Never rejects. */
  ask(
    message: Uint8Array,
    query: Query,
    asker: Asker,
    abandoned?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const { server } = this;
    if (server === undefined) return Promise.resolve(undefined);
    return this.#exchange(message, query, async (signal) => {
      const { connector } = this.#options;
      const attempt = await connector.decide({ kind: "address", ...server }, asker);
      return await connector.dial(attempt, signal);
    }, abandoned);
  }

  /** The same of this machine's own name server, past the policy, as libc asks it. */
  askOwn(message: Uint8Array, query: Query): Promise<Uint8Array | undefined> {
    const { nameservers, timeoutMs } = this.#options;
    const to = { kind: "address" as const, address: nameservers()[0]!, port: DNS_PORT };
    return this.#exchange(message, query, (signal) => dialDirect(to, { timeoutMs, signal }));
  }

  /**
   * The addresses of a name in a family, 0 for any; none where there is no such name, undefined where
   * that could not be found out. IPv6 is not waited for where there is IPv4, which programs are given.
   */
  async lookup(name: string, family: 0 | 4 | 6): Promise<IpAddress[] | undefined> {
    const abandon = new AbortController();
    const v4 = family === 6 ? [] : this.#lookUp(name, TYPE_A, abandon.signal);
    const v6 = family === 4 ? [] : this.#lookUp(name, TYPE_AAAA, abandon.signal);
    const first = await v4;
    if (first !== undefined && first.length > 0) {
      abandon.abort();
      return first;
    }
    const second = await v6;
    // What one does not tell, the other's "none" is no answer to.
    return first === undefined && second?.length === 0 ? undefined : second;
  }

  async #lookUp(
    name: string,
    type: number,
    signal: AbortSignal,
  ): Promise<IpAddress[] | undefined> {
    const message = buildQuery(randomInt(65536), name, type);
    const read = message && readQuery(message);
    if (message === undefined || read?.kind !== "query") return [];
    const response = await this.ask(message, read.query, UNKNOWN_ASKER, signal);
    const result = response && readAddresses(response);
    const isKnown = result?.rcode === RCODE_NOERROR || result?.rcode === RCODE_NXDOMAIN;
    return isKnown ? result.addresses : undefined;
  }

  async #exchange(
    message: Uint8Array,
    query: Query,
    dial: (signal: AbortSignal) => Promise<DialResult>,
    abandoned?: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const abort = new AbortController();
    abandoned?.addEventListener("abort", () => abort.abort());
    const timer = setTimeout(() => abort.abort(), this.#options.timeoutMs);
    const hasTurn = await this.#takeTurn(abort.signal);
    try {
      const result = hasTurn && await dial(abort.signal);
      if (!result || !result.ok) return undefined;
      const response = await converse(result.socket, result.rest, message, abort.signal);
      return response && isResponseTo(query, response) ? response : undefined;
    } finally {
      clearTimeout(timer);
      if (hasTurn) this.#passTurn();
    }
  }

  /** False where none came in time, or too many wait. */
  #takeTurn(signal: AbortSignal): Promise<boolean> {
    if (this.#asking < MAX_ASKING) {
      this.#asking++;
      return Promise.resolve(true);
    }
    if (this.#waiting.size >= MAX_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      const start = () => resolve(true);
      this.#waiting.add(start);
      signal.addEventListener("abort", () => this.#waiting.delete(start) && resolve(false));
    });
  }

  #passTurn(): void {
    const [next] = this.#waiting;
    if (next === undefined) return void this.#asking--;
    this.#waiting.delete(next);
    next();
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

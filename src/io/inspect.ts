/**
 * Asks a server what it speaks, each question by a connection of its own and all of a round at once.
 * A round ends with its timeout whatever the server does: silence, drops and floods included.
 */

import type { Credentials, ServerType } from "../config/model.ts";
import { type Destination, formatEndpoint, parseIpAddress } from "../net/address.ts";
import {
  type Answer,
  type Inspection,
  judgeCommand,
  judgeHttp,
  judgeReach,
  judgeSocks4a,
  judgeSocks5,
  judgeVersion,
  METHODS,
  type Verdict,
} from "../socks/inspection.ts";
import { createClient } from "../socks/client.ts";
import { createSocks5Client } from "../socks/client_socks5.ts";
import type { ClientMachine, Failure } from "../socks/machine.ts";
import { MethodProbe } from "../socks/method_probe.ts";
import { CMD_BIND, CMD_UDP_ASSOCIATE } from "../socks/socks5_wire.ts";
import { dialDirect, dialWith } from "./dial.ts";

export interface InspectOptions {
  hostname: string;
  port: number;
  credentials: Credentials;
  /** By which names are tried. */
  named: { hostname: string; port: number };
  timeoutMs: number;
}

type Machine = ClientMachine | { failure: Failure };

const CONNECTS = 3;
const LOOPBACK_V4 = parseIpAddress("127.0.0.1")!;
const LOOPBACK_V6 = parseIpAddress("::1")!;
const ANY_V4 = parseIpAddress("0.0.0.0")!;
const NOT_ASKED: Verdict = { is: "unknown", detail: "not asked" };

/** Never rejects. */
export async function inspect(options: InspectOptions): Promise<Inspection> {
  const nothing: Inspection = {
    server: formatEndpoint(options.hostname, options.port),
    connectMs: undefined,
    requestMs: undefined,
    failure: undefined,
    versions: { socks4: NOT_ASKED, socks4a: NOT_ASKED, socks5: NOT_ASKED, http: NOT_ASKED },
    methods: [],
    features: { names: NOT_ASKED, ipv6: NOT_ASKED, udpAssociate: NOT_ASKED, bind: NOT_ASKED },
  };
  const reached = await measureConnect(options);
  if (typeof reached === "object") return { ...nothing, failure: reached };
  return { ...nothing, connectMs: reached, ...await askAll(options) };
}

type Versions = Inspection["versions"];

async function askAll(options: InspectOptions) {
  const asker = new Asker(options);
  const [socks4, socks4a, http, ...chosen] = await Promise.all([
    asker.askClient("4", asker.itself),
    asker.askClient("4a", asker.name),
    asker.askClient("http", asker.itself),
    ...METHODS.map(([method]) => asker.ask(new MethodProbe(method))),
  ]);
  const methods = METHODS.map(([number, name], at) => (
    { number, name, isOffered: chosen[at] === undefined }
  ));
  const versions: Versions = {
    socks4: judgeVersion(socks4),
    socks4a: judgeSocks4a(socks4a),
    socks5: judgeSocks5(chosen[0], chosen[2]),
    http: judgeHttp(http),
  };
  const features = versions.socks5.is === "yes"
    ? await askFive(asker, options)
    : await askOthers(asker, versions);
  return { versions, methods, features, requestMs: asker.fastestMs };
}

async function askFive(asker: Asker, { credentials }: InspectOptions) {
  const five = (destination: Destination, cmd: number) =>
    asker.ask(createSocks5Client(credentials, destination, cmd));
  const [names, ipv6, udpAssociate, bind] = await Promise.all([
    asker.askClient("5", asker.name),
    asker.askClient("5", asker.itselfByV6),
    five({ kind: "address", address: ANY_V4, port: 0 }, CMD_UDP_ASSOCIATE),
    five(asker.itself, CMD_BIND),
  ]);
  return {
    names: judgeReach(names),
    ipv6: judgeReach(ipv6),
    udpAssociate: judgeCommand(udpAssociate),
    bind: judgeCommand(bind),
  };
}

async function askOthers(asker: Asker, { socks4a, http }: Versions) {
  const none: Verdict = { is: "no", detail: "SOCKS 5 alone has it" };
  const without = { udpAssociate: none, bind: none };
  if (http.is !== "yes") return { ...without, names: socks4a, ipv6: none };
  const [names, ipv6] = await Promise.all([
    asker.askClient("http", asker.name),
    asker.askClient("http", asker.itselfByV6),
  ]);
  return { ...without, names: judgeReach(names), ipv6: judgeReach(ipv6) };
}

/** The shortest of some connections, in milliseconds. */
async function measureConnect(options: InspectOptions): Promise<number | Failure> {
  const { hostname, port, timeoutMs } = options;
  const address = parseIpAddress(hostname);
  const destination: Destination = address === undefined
    ? { kind: "name", name: hostname, port }
    : { kind: "address", address, port };
  let shortestMs = Infinity;
  for (let i = 0; i < CONNECTS; i++) {
    const startMs = performance.now();
    const result = await dialDirect(destination, { timeoutMs, signal: NEVER });
    if (!result.ok) return result.failure;
    shortestMs = Math.min(shortestMs, performance.now() - startMs);
    result.socket.destroy();
  }
  return shortestMs;
}

const NEVER = new AbortController().signal;

class Asker {
  readonly #options: InspectOptions;
  /** The server's own port on its loopback, where it listens if it listens on all its addresses. */
  readonly itself: Destination;
  readonly itselfByV6: Destination;
  readonly name: Destination;
  /** Of the requests that were answered. */
  fastestMs: number | undefined;

  constructor(options: InspectOptions) {
    const { port, named } = options;
    this.#options = options;
    this.itself = { kind: "address", address: LOOPBACK_V4, port };
    this.itselfByV6 = { kind: "address", address: LOOPBACK_V6, port };
    this.name = { kind: "name", name: named.hostname, port: named.port };
  }

  askClient(type: ServerType, destination: Destination): Promise<Answer> {
    const { credentials } = this.#options;
    return this.ask(createClient({ type, credentials, destination }));
  }

  /** Undefined where it is granted. */
  async ask(machine: Machine): Promise<Answer> {
    if ("failure" in machine) return machine.failure;
    const startMs = performance.now();
    const { timeoutMs } = this.#options;
    const result = await dialWith(machine, this.#options, { timeoutMs, signal: NEVER });
    const answer = result.ok ? undefined : result.failure;
    if (result.ok) result.socket.destroy();
    const isAnswered = judgeVersion(answer).is === "yes" && !(machine instanceof MethodProbe);
    const ms = performance.now() - startMs;
    if (isAnswered) this.fastestMs = Math.min(ms, this.fastestMs ?? ms);
    return answer;
  }
}

/**
 * UDP sockets on loopback that stand for name servers: one for each that a program sends to, so that
 * an answer's source tells which it was meant for. Only sockets that a shim has announced, with the
 * run's token, are answered; a datagram cannot carry that token, but its source leads to its socket
 * (/proc/net/udp), and no other process has a socket of that inode.
 */

import { createSocket, type Socket } from "node:dgram";
import { formatIpAddress, type IpAddress } from "../net/address.ts";
import type { RawEndpoint } from "../shim/control.ts";
import type { Asker } from "./log.ts";
import { describeProcess } from "./processes.ts";
import { inodesOf, readUdpSockets, type UdpSockets } from "./udp_sockets.ts";

/** A datagram's answer; undefined: none. */
export type DatagramAnswerer = (
  message: Uint8Array,
  asker: Asker,
) => Promise<Uint8Array | undefined>;

/** As REDIRECT in shim/control.h has them: the shim knows a face without asking. */
const FACE_NET = [127, 83, 53];
const FACE_PORT_FIRST = 53000;
const FACE_PORTS = 256;

const DNS_PORT = 53;
/** Each is a descriptor of ours; a program that asks all the root servers has room. */
const MAX_FACES = 64;
const MAX_ANNOUNCED = 4096;
/** More questions at once are dropped, which UDP may do. */
const MAX_SERVING = 4096;
const LOOPBACK_V6 = Uint8Array.from([...new Uint8Array(15), 1]);

interface Face {
  endpoint: RawEndpoint;
  server: RawEndpoint;
  socket: Socket;
}

export class DnsFaces {
  readonly #answer: DatagramAnswerer;
  /** By the server's address as text. */
  readonly #faces = new Map<string, Promise<Face | undefined>>();
  /** By the face's own address and port as text. */
  readonly #servers = new Map<string, RawEndpoint>();
  /** Inode of a program's socket → who announced it; the last used at the end. */
  readonly #announced = new Map<bigint, number>();
  #looking: Promise<UdpSockets> | undefined;
  #serving = 0;

  constructor(answer: DatagramAnswerer) {
    this.#answer = answer;
  }

  /** The face that stands for `server`, from now on open to this socket; undefined where there are too many. */
  async open(
    server: IpAddress,
    { inode, pid }: { inode: bigint; pid: number },
  ): Promise<RawEndpoint | undefined> {
    this.#announce(inode, pid);
    const key = formatIpAddress(server);
    const known = this.#faces.get(key);
    if (known === undefined && this.#faces.size >= MAX_FACES) return undefined;
    const opened = known ?? this.#bind(server, this.#faces.size + 1);
    this.#faces.set(key, opened);
    return (await opened)?.endpoint;
  }

  /** The server that the face at this address stands for. */
  serverOf(address: IpAddress, port: number): RawEndpoint | undefined {
    return this.#servers.get(`${formatIpAddress(address)} ${port}`);
  }

  close(): void {
    for (const face of this.#faces.values()) void face.then((opened) => opened?.socket.close());
    this.#faces.clear();
  }

  async #bind(server: IpAddress, number: number): Promise<Face | undefined> {
    const isV4 = server.version === 4;
    const address: IpAddress = isV4
      ? { version: 4, bytes: Uint8Array.from([...FACE_NET, number]) }
      : { version: 6, bytes: LOOPBACK_V6 };
    const text = formatIpAddress(address);
    const socket = isV4 ? await bindAnywhere(text) : await bindInRange(text);
    if (socket === undefined) return undefined;
    const { port } = socket.address();
    const face = {
      endpoint: { bytes: address.bytes, port },
      server: { bytes: server.bytes, port: DNS_PORT },
      socket,
    };
    this.#servers.set(`${text} ${port}`, face.server);
    socket.on("error", () => {}); // an ICMP message of a program that is gone
    socket.on("message", (message, from) => {
      if (this.#serving >= MAX_SERVING) return;
      this.#serving++;
      void this.#serve(socket, message, from).finally(() => this.#serving--);
    });
    return face;
  }

  async #serve(
    socket: Socket,
    message: Uint8Array,
    from: { address: string; port: number },
  ): Promise<void> {
    const asker = await this.#findAsker(from);
    const response = asker && await this.#answer(message, asker);
    if (response === undefined) return;
    try {
      socket.send(response, from.port, from.address);
    } catch {
      // closed meanwhile, at the end of the run
    }
  }

  /** Undefined where it is no announced socket's. The first look may have begun before there was the socket. */
  async #findAsker(from: { address: string; port: number }): Promise<Asker | undefined> {
    const pid = this.#findPid(await this.#lookAtSockets(), from) ??
      this.#findPid(await this.#lookAtSockets(), from);
    return pid === undefined ? undefined : describeProcess(pid);
  }

  /** Sockets of several processes can share a port (SO_REUSEADDR): then all must be announced. */
  #findPid(
    sockets: UdpSockets,
    from: { address: string; port: number },
  ): number | undefined {
    const inodes = inodesOf(sockets, from);
    const pids = inodes.map((inode) => this.#announced.get(inode));
    if (pids.includes(undefined)) return undefined;
    inodes.forEach((inode, at) => this.#announce(inode, pids[at]!));
    return pids[0];
  }

  #announce(inode: bigint, pid: number): void {
    this.#announced.delete(inode);
    this.#announced.set(inode, pid);
    if (this.#announced.size > MAX_ANNOUNCED) {
      this.#announced.delete(this.#announced.keys().next().value!);
    }
  }

  /** One look for all that ask meanwhile. */
  #lookAtSockets(): Promise<UdpSockets> {
    this.#looking ??= readUdpSockets().finally(() => this.#looking = undefined);
    return this.#looking;
  }
}

function bindAnywhere(address: string): Promise<Socket | undefined> {
  return bind(createSocket("udp4"), 0, address);
}

/** ::1 is one address: there the port must tell a face from other programs. */
async function bindInRange(address: string): Promise<Socket | undefined> {
  const start = Math.floor(Math.random() * FACE_PORTS);
  for (let at = 0; at < FACE_PORTS; at++) {
    const port = FACE_PORT_FIRST + (start + at) % FACE_PORTS;
    const socket = await bind(createSocket({ type: "udp6", ipv6Only: true }), port, address);
    if (socket !== undefined) return socket;
  }
}

/** Undefined where that cannot be bound. */
function bind(socket: Socket, port: number, address: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    socket.once("error", () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

/**
 * A loopback port that never answers a SYN: a socket that connects to it stays in SYN-SENT, as to a
 * host far away, until it is connected or reset from here. Both are TCP's simultaneous open (RFC 9293
 * section 3.5): a socket bound to this same port connects to the waiting one's.
 */

import type { IpAddress } from "../net/address.ts";
import { CTL_PENDING_PORT_MARK } from "../shim/control.ts";
import {
  encodeSockaddr,
  intOption,
  type Libc,
  openTcpSocket,
  SO_ERROR,
  SOL_SOCKET,
} from "./libc.ts";

export interface Address {
  ip: IpAddress;
  port: number;
}

/** asm-generic/socket.h */
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SO_ATTACH_FILTER = 26;
/** errno.h */
const EINPROGRESS = 115;
const YES = Uint8Array.of(1, 0, 0, 0);

/** Ports are MARK, MARK + 256 ...; not below 10000. */
const FIRST_PAGE = 40;
const LAST_PAGE = 255;
const MAX_BIND_ATTEMPTS = 32;

const SYN = 0x02;
const SYN_ACK = 0x12;
const DROP_SYN = dropFilter(SYN); // a listener answers all else with a reset
const DROP_SYN_ACK = dropFilter(SYN_ACK);

export class SilentPort {
  readonly address: Address;
  readonly #libc: Libc;
  readonly #fd: number;

  private constructor(libc: Libc, fd: number, address: Address) {
    this.#libc = libc;
    this.#fd = fd;
    this.address = address;
  }

  /**
   * One free port of all the loopback addresses `ips`, the first of which must exist. @throws Error where
   * the kernel denies a step
   */
  static open(libc: Libc, ips: IpAddress[]): SilentPort[] {
    for (let attempt = 1; attempt <= MAX_BIND_ATTEMPTS; attempt++) {
      const page = FIRST_PAGE + Math.floor(Math.random() * (LAST_PAGE + 1 - FIRST_PAGE));
      const port = page * 256 + CTL_PENDING_PORT_MARK;
      const all = ips.map((ip) => SilentPort.#openAt(libc, { ip, port }));
      const opened = all.filter((one) => one !== undefined);
      // Where each attempt fails the other addresses do not exist, and nobody can connect to them.
      const isEnough = opened.length === ips.length || attempt === MAX_BIND_ATTEMPTS;
      if (all[0] !== undefined && isEnough) return opened;
      for (const one of opened) one.close();
    }
    throw new Error("no free port");
  }

  static #openAt(libc: Libc, address: Address): SilentPort | undefined {
    const fd = openSocket(libc, address);
    if (fd === undefined) return undefined;
    const port = new SilentPort(libc, fd, address);
    // After bind: before it, another's port that is shared like this one would pass for free.
    const isSilent = port.#allowSharing(fd) && attachFilter(libc, fd, DROP_SYN) &&
      libc.listen(fd, 0) === 0;
    if (isSilent) return port;
    const errno = libc.errno();
    port.close();
    throw new Error(`no silent port: errno ${errno}`);
  }

  /**
   * Connects the socket that waits at `to`; the descriptor of its other end, or undefined if it is gone.
   * `isThere` says whether the very socket exists: once connected it may be a listener's at its old port.
   */
  accept(to: Address, isThere: () => boolean): number | undefined {
    const fd = this.#openBeside();
    if (fd === undefined) return undefined;
    // What could not even be begun (EADDRNOTAVAIL, of an older connection) leaves no SO_ERROR.
    const isBegun = isThere() && this.#connect(fd, to);
    if (isBegun && intOption(this.#libc, fd, SOL_SOCKET, SO_ERROR) === 0 && isThere()) return fd;
    this.#libc.close(fd);
    return undefined;
  }

  /**
   * Ends the wait at `to` with ECONNRESET. It must not look connected for a moment, so its answer to
   * our SYN is dropped, and a second SYN, which is then out of place, makes it be reset. A listener
   * that has its port by now sees no connection either.
   */
  reset(to: Address): void {
    for (let segment = 0; segment < 2; segment++) {
      const fd = this.#openBeside();
      if (fd === undefined) return;
      attachFilter(this.#libc, fd, DROP_SYN_ACK);
      this.#connect(fd, to);
      this.#libc.close(fd);
    }
  }

  close(): void {
    this.#libc.close(this.#fd);
  }

  #openBeside(): number | undefined {
    return openSocket(this.#libc, this.address, (fd) => this.#allowSharing(fd));
  }

  #allowSharing(fd: number): boolean {
    return setOption(this.#libc, fd, SO_REUSEPORT);
  }

  /** On loopback all of the exchange is done when this returns, which says whether there was one. */
  #connect(fd: number, { ip, port }: Address): boolean {
    const sockaddr = encodeSockaddr(ip, port);
    const result = this.#libc.connect(fd, sockaddr, sockaddr.length);
    return result === 0 || this.#libc.errno() === EINPROGRESS;
  }
}

/** A non-blocking TCP socket that is bound to `address`, prepared before that by `prepare`. */
function openSocket(
  libc: Libc,
  { ip, port }: Address,
  prepare: (fd: number) => boolean = () => true,
): number | undefined {
  const fd = openTcpSocket(libc, ip.version);
  if (fd < 0) return undefined;
  const sockaddr = encodeSockaddr(ip, port);
  // Connections of former runs may be in TIME-WAIT on this port.
  const isReady = setOption(libc, fd, SO_REUSEADDR) && prepare(fd);
  if (isReady && libc.bind(fd, sockaddr, sockaddr.length) === 0) return fd;
  libc.close(fd);
  return undefined;
}

function setOption(libc: Libc, fd: number, name: number): boolean {
  return libc.setsockopt(fd, SOL_SOCKET, name, YES, YES.length) === 0;
}

function attachFilter(libc: Libc, fd: number, instructions: Uint8Array): boolean {
  const program = new Uint8Array(16); // struct sock_fprog: length, padding, pointer
  const view = new DataView(program.buffer);
  view.setUint16(0, instructions.length / 8, true);
  view.setBigUint64(8, libc.addressOf(instructions), true);
  return libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length) === 0;
}

/** Drops the segments that have exactly these of the flags SYN and ACK. */
function dropFilter(flags: number): Uint8Array {
  return filterProgram([
    [0x30, 0, 0, 13], //      A = flags: the segment begins with the TCP header
    [0x54, 0, 0, SYN_ACK], // A &= ACK | SYN
    [0x15, 0, 1, flags], //   these alone:
    [0x06, 0, 0, 0], //         drop
    [0x06, 0, 0, 0xffff], //  else take
  ]);
}

/** struct sock_filter (linux/filter.h): code, jt, jf, k. */
function filterProgram(instructions: [code: number, jt: number, jf: number, k: number][]) {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([code, jt, jf, k], at) => {
    view.setUint16(at * 8, code, true);
    bytes.set([jt, jf], at * 8 + 2);
    view.setUint32(at * 8 + 4, k, true);
  });
  return bytes;
}

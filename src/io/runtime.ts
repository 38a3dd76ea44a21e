/**
 * The differences between Deno and Bun, but for the way to C (libc.ts): Bun 1.4 reports every failed
 * connect as ECONNREFUSED (its issue tracker: "net: report the real connect errno"), and an errno
 * that lies sends people looking in the wrong place; and each takes a descriptor in its own way.
 */

import { connect, Socket, type TcpNetConnectOpts } from "node:net";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import type { IpAddress } from "../net/address.ts";
import {
  encodeSockaddr,
  intOption,
  type Libc,
  openLibc,
  openTcpSocket,
  SO_ERROR,
  SOL_SOCKET,
} from "./libc.ts";

/** errno.h, of those that connect(2) gives. */
const ERRNO_NAMES: Record<number, string> = {
  1: "EPERM",
  13: "EACCES",
  22: "EINVAL",
  101: "ENETUNREACH",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  113: "EHOSTUNREACH",
};

const PROBE_INTERVAL_MS = 5;
const MAX_PROBE_MS = 4000;

const isBun = process.versions.bun !== undefined;

/** The connected, non-blocking TCP socket `fd` as a stream, which owns it from now on. */
export function adoptSocket(fd: number): Socket {
  const options = { fd, allowHalfOpen: true };
  // Bun's connect() takes `fd`, which @types/node does not know; its constructor does not.
  const socket = isBun ? connect(options as unknown as TcpNetConnectOpts) : new Socket(options);
  return socket.setNoDelay(true);
}

/**
 * The true errno of a connect that failed with `reported`, by asking the kernel again where the
 * runtime cannot be trusted. Costs a second attempt there (and `find`, which looks the address up),
 * and nothing elsewhere.
 */
export async function trueConnectErrno(
  reported: string,
  find: () => Promise<IpAddress | undefined>,
  port: number,
): Promise<string> {
  if (reported !== "ECONNREFUSED" || !isBun) return reported;
  try {
    const address = await find();
    if (address === undefined) return reported;
    const errno = await probe(await openLibc(), address, port);
    return ERRNO_NAMES[errno] ?? reported;
  } catch {
    return reported;
  }
}

/** poll.h and errno.h */
const POLLOUT = 4;
const EINPROGRESS = 115;

async function probe(libc: Libc, address: IpAddress, port: number): Promise<number> {
  const fd = openTcpSocket(libc, address.version);
  if (fd < 0) return 0;
  try {
    const sockaddr = encodeSockaddr(address, port);
    if (libc.connect(fd, sockaddr, sockaddr.length) === 0) return 0;
    const errno = libc.errno();
    if (errno !== EINPROGRESS) return errno;
    for (let waitedMs = 0; waitedMs < MAX_PROBE_MS; waitedMs += PROBE_INTERVAL_MS) {
      if (libc.poll(Int32Array.of(fd, POLLOUT), 1n, 0) > 0) {
        return intOption(libc, fd, SOL_SOCKET, SO_ERROR) ?? 0;
      }
      await setTimeout(PROBE_INTERVAL_MS);
    }
    return 0;
  } finally {
    libc.close(fd);
  }
}

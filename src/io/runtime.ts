/**
 * The differences between Deno and Bun, all of them here. So far one: Bun 1.4 reports every failed
 * connect as ECONNREFUSED (its issue tracker: "net: report the real connect errno"), and an errno
 * that lies sends people looking in the wrong place.
 */

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import type { IpAddress } from "../net/address.ts";

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
  if (reported !== "ECONNREFUSED" || process.versions.bun === undefined) return reported;
  try {
    const address = await find();
    if (address === undefined) return reported;
    const errno = await probe(await openLibc(), address, port);
    return ERRNO_NAMES[errno] ?? reported;
  } catch {
    return reported;
  }
}

interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Int32Array, size: Int32Array): number;
  poll(fds: Int32Array, count: number, timeoutMs: number): number;
  close(fd: number): number;
  errno(): number;
}

/** socket.h and poll.h, the same on x86_64 and aarch64. */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0o4000 | 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const POLLOUT = 4;
const EINPROGRESS = 115;

async function probe(libc: Libc, address: IpAddress, port: number): Promise<number> {
  const fd = libc.socket(
    address.version === 4 ? AF_INET : AF_INET6,
    SOCK_STREAM_NONBLOCK_CLOEXEC,
    0,
  );
  if (fd < 0) return 0;
  try {
    const sockaddr = encodeSockaddr(address, port);
    if (libc.connect(fd, sockaddr, sockaddr.length) === 0) return 0;
    const errno = libc.errno();
    if (errno !== EINPROGRESS) return errno;
    for (let waitedMs = 0; waitedMs < MAX_PROBE_MS; waitedMs += PROBE_INTERVAL_MS) {
      if (libc.poll(Int32Array.of(fd, POLLOUT), 1, 0) > 0) return pendingError(libc, fd);
      await setTimeout(PROBE_INTERVAL_MS);
    }
    return 0;
  } finally {
    libc.close(fd);
  }
}

function pendingError(libc: Libc, fd: number): number {
  const value = Int32Array.of(0);
  libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, Int32Array.of(4));
  return value[0] ?? 0;
}

/** sockaddr_in (16 octets) or sockaddr_in6 (28): family in host order, port and address in network order. */
function encodeSockaddr(address: IpAddress, port: number): Uint8Array {
  const isV4 = address.version === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(address.bytes, isV4 ? 4 : 8);
  return bytes;
}

async function openLibc(): Promise<Libc> {
  // A name that Deno's checker does not look up: the module is Bun's.
  const name = "bun:ffi";
  const { dlopen, read } = await import(name);
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
    close: { args: ["i32"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
  return { ...symbols, errno: () => read.i32(symbols.__errno_location(), 0) };
}

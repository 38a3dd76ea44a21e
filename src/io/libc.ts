/**
 * The socket calls of the C library by FFI, for what no node: module can do. The one native file;
 * Deno and Bun differ in how a library is opened and in nothing else. Each call returns what the C
 * function returns. Constants are those of Linux, the same on x86_64 and aarch64.
 */

import process from "node:process";
import type { IpAddress } from "../net/address.ts";

export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: Uint32Array,
  ): number;
  getsockname(fd: number, address: Uint8Array, length: Uint32Array): number;
  send(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint | number;
  recv(fd: number, bytes: Uint8Array, length: bigint, flags: number): bigint | number;
  poll(fds: Int32Array, count: bigint, timeoutMs: number): number;
  close(fd: number): number;
  errno(): number;
  /** Where `bytes` are in memory: for a structure that points to another, which must outlive the call. */
  addressOf(bytes: Uint8Array): bigint;
}

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_ERROR = 4;

/** glibc's and musl's. */
const FILE_NAMES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
];

/** Arguments and result: i (int), u (unsigned int), z (size_t), p (a pointer). */
const SIGNATURES = {
  socket: ["iii", "i"],
  bind: ["ipu", "i"],
  listen: ["ii", "i"],
  connect: ["ipu", "i"],
  setsockopt: ["iiipu", "i"],
  getsockopt: ["iiipp", "i"],
  getsockname: ["ipp", "i"],
  send: ["ipzi", "z"],
  recv: ["ipzi", "z"],
  poll: ["pzi", "i"],
  close: ["i", "i"],
  __errno_location: ["", "p"],
} as const;

let opened: Promise<Libc> | undefined;

/** The library, opened once. Rejects where the runtime cannot. */
export function openLibc(): Promise<Libc> {
  return opened ??= process.versions.bun === undefined
    ? Promise.resolve().then(openWithDeno)
    : openWithBun();
}

/** sockaddr_in (16 octets) or sockaddr_in6 (28): family in host order, port and address in network order. */
export function encodeSockaddr(address: IpAddress, port: number): Uint8Array {
  const isV4 = address.version === 4;
  const bytes = new Uint8Array(isV4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(address.bytes, isV4 ? 4 : 8);
  return bytes;
}

/** A TCP socket that does not block, and that children do not get; negative where there is none. */
export function openTcpSocket(libc: Libc, version: IpAddress["version"]): number {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return libc.socket(version === 4 ? AF_INET : AF_INET6, type, 0);
}

/** An option whose value is an int; undefined where there is none. */
export function intOption(libc: Libc, fd: number, level: number, name: number): number | undefined {
  const value = new Uint8Array(4);
  if (libc.getsockopt(fd, level, name, value, Uint32Array.of(4)) !== 0) return undefined;
  return new DataView(value.buffer).getInt32(0, true);
}

type Functions = Omit<Libc, "errno" | "addressOf">;

/** Every signature in a runtime's own words. */
function translate<Symbol>(
  words: Record<string, string>,
  make: (parameters: string[], result: string) => Symbol,
): Record<string, Symbol> {
  return Object.fromEntries(
    Object.entries(SIGNATURES).map(([name, [parameters, result]]) => [
      name,
      make([...parameters].map((letter) => words[letter]!), words[result]!),
    ]),
  );
}

function openFirst<Library>(open: (fileName: string) => Library): Library {
  const [first, ...others] = FILE_NAMES;
  try {
    return open(first!);
  } catch {
    return open(others[0]!);
  }
}

async function openWithBun(): Promise<Libc> {
  // A name that Deno's checker does not look up: the module is Bun's.
  const name = "bun:ffi";
  const { dlopen, ptr, read } = await import(name);
  const words = { i: "i32", u: "u32", z: "i64", p: "ptr" };
  const symbols = translate(words, (args, returns) => ({ args, returns }));
  const library = openFirst((fileName) => dlopen(fileName, symbols)).symbols;
  return {
    ...(library as Functions),
    errno: () => read.i32(library.__errno_location(), 0),
    addressOf: (bytes) => BigInt(ptr(bytes)),
  };
}

function openWithDeno(): Libc {
  const words = { i: "i32", u: "u32", z: "isize", p: "buffer" };
  const symbols = translate(words, (parameters, result) => ({
    parameters,
    result: result === "buffer" ? "pointer" : result,
  })) as unknown as Deno.ForeignLibraryInterface;
  const library = openFirst((fileName) => Deno.dlopen(fileName, symbols)).symbols;
  const functions = library as unknown as Functions & {
    __errno_location(): Deno.PointerObject;
  };
  return {
    ...functions,
    errno: () => new Deno.UnsafePointerView(functions.__errno_location()).getInt32(),
    addressOf: (bytes) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes as BufferSource)),
  };
}

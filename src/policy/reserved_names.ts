/**
 * The table name ↔ reserved address that all children share: a program that asks for a name gets an
 * address that exists nowhere (198.18.0.0/15, RFC 2544; a ULA /64, RFC 4193), and connecting to it
 * means connecting to the name. Holds names only; who may have one is decided in names.ts.
 */

import type { IpAddress } from "../net/address.ts";

/** 2^17 addresses less the network's own and its broadcast address. */
export const RESERVED_CAPACITY = 2 ** 17 - 2;

/** A program may hold an address for a while before it connects: a name used so lately keeps its own. */
const MIN_UNUSED_MS = 10 * 60 * 1000;

/** The 64 bits of fd74:736f:636b:7300::/64 ("tsocks" in ASCII behind the ULA octet). */
const ULA_PREFIX = [0xfd, 0x74, 0x73, 0x6f, 0x63, 0x6b, 0x73, 0x00];
const V4_BASE = 198 * 2 ** 24 + 18 * 2 ** 16;

export interface ReservedAddresses {
  v4: IpAddress;
  v6: IpAddress;
}

export class ReservedNames {
  readonly #capacity: number;
  /** Least recently used first, which a Map keeps by its order of insertion. */
  readonly #indexOf = new Map<string, number>();
  readonly #nameAt = new Map<number, { name: string; usedAtMs: number }>();
  /** Open connections to a name, where there are any. */
  readonly #heldCount = new Map<string, number>();

  constructor(capacity = RESERVED_CAPACITY) {
    this.#capacity = Math.min(capacity, RESERVED_CAPACITY);
  }

  /**
   * The addresses of `name`, the same ones as long as the name is in use; undefined where the table is
   * full of names in use. `nowMs` is of any clock that only goes forward. The server is to get the name
   * as the program wrote it, so that each spelling has addresses of its own.
   */
  reserve(name: string, nowMs: number): ReservedAddresses | undefined {
    const index = this.#indexOf.get(name) ?? this.#freeIndex(nowMs);
    if (index === undefined) return undefined;
    this.#touch(name, index, nowMs);
    return { v4: reservedV4(index), v6: reservedV6(index) };
  }

  /** The name behind a reserved address, or undefined where none was handed out. */
  nameOf(address: IpAddress, nowMs: number): string | undefined {
    const index = indexOfAddress(address);
    const name = index === undefined ? undefined : this.#nameAt.get(index)?.name;
    if (name !== undefined && index !== undefined) this.#touch(name, index, nowMs);
    return name;
  }

  /** `name` is in use until the returned function is called: a connection to it is open. */
  hold(name: string, now: () => number): () => void {
    if (!this.#indexOf.has(name)) return () => {};
    this.#heldCount.set(name, (this.#heldCount.get(name) ?? 0) + 1);
    return () => {
      const left = this.#heldCount.get(name)! - 1;
      if (left > 0) return void this.#heldCount.set(name, left);
      this.#heldCount.delete(name);
      this.#touch(name, this.#indexOf.get(name)!, now());
    };
  }

  /** The full table drops the name that was unused for longest. */
  #freeIndex(nowMs: number): number | undefined {
    if (this.#indexOf.size < this.#capacity) return this.#indexOf.size + 1;
    for (const [oldest, index] of this.#indexOf) {
      if (nowMs - this.#nameAt.get(index)!.usedAtMs < MIN_UNUSED_MS) return undefined;
      if (!this.#heldCount.has(oldest)) {
        this.#indexOf.delete(oldest);
        return index;
      }
      this.#touch(oldest, index, nowMs);
    }
  }

  #touch(name: string, index: number, usedAtMs: number): void {
    this.#indexOf.delete(name);
    this.#indexOf.set(name, index);
    this.#nameAt.set(index, { name, usedAtMs });
  }
}

/** Whether `address` is in one of the two reserved ranges, handed out or not. */
export function isReserved(address: IpAddress): boolean {
  return indexOfAddress(address) !== undefined;
}

function reservedV4(index: number): IpAddress {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, V4_BASE + index);
  return { version: 4, bytes };
}

function reservedV6(index: number): IpAddress {
  const bytes = new Uint8Array(16);
  bytes.set(ULA_PREFIX);
  new DataView(bytes.buffer).setUint32(12, index);
  return { version: 6, bytes };
}

function indexOfAddress(address: IpAddress): number | undefined {
  const view = new DataView(address.bytes.buffer, address.bytes.byteOffset);
  if (address.version === 4) {
    const index = view.getUint32(0) - V4_BASE;
    return index >= 0 && index < 2 ** 17 ? index : undefined;
  }
  if (ULA_PREFIX.some((octet, at) => address.bytes[at] !== octet)) return undefined;
  return view.getUint32(8) === 0 ? view.getUint32(12) : undefined;
}

/**
 * Octets: the buffer that collects a peer's pieces, and, with net/octet_text.ts, the one place where
 * text becomes octets and octets text. Knows no protocol.
 */

import { Buffer } from "node:buffer";

export { encodeText } from "../net/octet_text.ts";

/** UTF-8, every octet accounted for; undefined where the octets are not UTF-8. */
export function decodeText(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/** UTF-8 for people to read: what is not UTF-8 becomes U+FFFD. */
export function decodeLossy(octets: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets);
}

/** One character per octet and back, which loses nothing: the text of an HTTP head. */
export function decodeLatin1(octets: Uint8Array): string {
  // Not TextDecoder("latin1"), which is windows-1252.
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("latin1");
}

/** Inverse of decodeLatin1(). */
export function encodeLatin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** RFC 4648 §4. */
export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64");
}

/** RFC 4648 §4; undefined where `text` is not exactly what encodeBase64() makes. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(Buffer.from(text, "base64"));
  return encodeBase64(octets) === text ? octets : undefined;
}

/** All parts in one array. */
export function concatOctets(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A 16-bit number in network order. */
export function encodeUint16(value: number): Uint8Array {
  return new Uint8Array([value >> 8, value & 0xff]);
}

/**
 * What has arrived and is not yet consumed. It has no cap of its own: each machine consumes or
 * fails at its message's longest form, so at most that much and one chunk are held.
 */
export class OctetBuffer {
  #octets = new Uint8Array(64);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#octets.length) this.#makeRoom(chunk.length);
    this.#octets.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The octets held, not copied: valid until the next append(). */
  view(): Uint8Array {
    return this.#octets.subarray(this.#start, this.#end);
  }

  /** Remove and return the first `count` octets (fewer where fewer are held). */
  take(count: number): Uint8Array {
    const taken = this.view().slice(0, count);
    this.#start += taken.length;
    return taken;
  }

  takeAll(): Uint8Array {
    return this.take(this.length);
  }

  #makeRoom(count: number): void {
    const held = this.view();
    const moved = new Uint8Array(Math.max(held.length + count, 2 * held.length));
    moved.set(held);
    this.#octets = moved;
    this.#end = held.length;
    this.#start = 0;
  }
}

/**
 * Finds the end of a chunked body (RFC 9112 §7.1) and lets it pass as it is. Decodes nothing and
 * keeps nothing but its place.
 */

import type { RequestFilter } from "./machine.ts";

/** A chunk's size line with its extensions, and the trailer section as a whole. */
const MAX_LINE_OCTETS = 4096;
const MAX_TRAILER_OCTETS = 16 * 1024;
/** 13 hexadecimal digits are the largest whole number that a double holds exactly. */
const SIZE_LINE = /^([0-9a-f]{1,13})(?:[ \t]*;.*)?$/i;

/**
 *   chunk   = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 *   last    = 1*("0") [ chunk-ext ] CRLF
 *   trailer = *( field-line CRLF ) CRLF
 *
 * Where the body is malformed nothing more passes and it is over: the origin never sees it whole.
 */
export class ChunkedFilter implements RequestFilter {
  #state: "size" | "data" | "data end" | "trailer" | "over" = "size";
  /** Of the current line, without its end. */
  #line = "";
  #dataLeft = 0;
  #trailerLength = 0;

  take(chunk: Uint8Array): { pass: Uint8Array; isOver: boolean } {
    let at = 0;
    while (at < chunk.length && this.#state !== "over") {
      at = this.#state === "data" ? this.#skipData(at, chunk.length) : this.#step(chunk, at);
    }
    return { pass: chunk.slice(0, at), isOver: this.#state === "over" };
  }

  #skipData(at: number, end: number): number {
    const count = Math.min(this.#dataLeft, end - at);
    this.#dataLeft -= count;
    if (this.#dataLeft === 0) this.#state = "data end";
    return at + count;
  }

  /** One octet of a line. A CR only before LF, an LF only behind CR: both belong to the line's end. */
  #step(chunk: Uint8Array, at: number): number {
    const char = String.fromCharCode(chunk[at] ?? 0);
    const isAfterCr = this.#line.endsWith("\r");
    if (isAfterCr !== (char === "\n") || isControl(char)) return this.#stop(at);
    if (this.#state === "data end" && char !== "\r" && char !== "\n") return this.#stop(at);
    this.#line += char;
    if (this.#state === "trailer") this.#trailerLength++;
    if (this.#line.length > MAX_LINE_OCTETS || this.#trailerLength > MAX_TRAILER_OCTETS) {
      return this.#stop(at);
    }
    return char === "\n" && !this.#endLine() ? this.#stop(at) : at + 1;
  }

  /** False for a malformed size line. */
  #endLine(): boolean {
    const line = this.#line.slice(0, -2);
    this.#line = "";
    if (this.#state === "size") return this.#startChunk(SIZE_LINE.exec(line)?.[1]);
    if (this.#state === "data end") this.#state = "size";
    else if (line === "") this.#state = "over";
    return true;
  }

  #startChunk(digits: string | undefined): boolean {
    if (digits === undefined) return false;
    this.#dataLeft = parseInt(digits, 16);
    this.#state = this.#dataLeft === 0 ? "trailer" : "data";
    return true;
  }

  #stop(at: number): number {
    this.#state = "over";
    return at;
  }
}

function isControl(char: string): boolean {
  return char < " " && char !== "\t" && char !== "\r" && char !== "\n" || char === "\x7f";
}

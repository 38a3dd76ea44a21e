/**
 * The far end of a program's TCP connection to a name server, within this process: questions in,
 * answers out, each behind its length (RFC 1035 §4.2.2). What relays it takes it for a socket.
 */

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { lengthened } from "./dns_upstream.ts";

type Answerer = (message: Uint8Array) => Promise<Uint8Array | undefined>;

/** One question is answered before the next is read, so that a program cannot make us hold more. */
class DnsConnection extends Duplex {
  readonly #answer: Answerer;
  #seen = Buffer.alloc(0);
  /** Ends the wait for a program that does not read its answers. */
  #wake: () => void = () => {};

  constructor(answer: Answerer) {
    super({ allowHalfOpen: true });
    this.#answer = answer;
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  override _read(): void {
    this.#wake();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wake();
    done(error);
  }

  override _write(chunk: Uint8Array, _: string, done: (error?: Error | null) => void): void {
    this.#seen = Buffer.concat([this.#seen, chunk]);
    this.#answerAll().then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  async #answerAll(): Promise<void> {
    for (;;) {
      const end = this.#seen.length < 2 ? Infinity : 2 + this.#seen.readUInt16BE(0);
      if (this.#seen.length < end) return;
      const message = Uint8Array.from(this.#seen.subarray(2, end));
      this.#seen = this.#seen.subarray(end);
      const response = await this.#answer(message);
      if (this.destroyed) return;
      // What is no query gets no answer, and its sender no further ear.
      if (response === undefined) return void this.destroy();
      const hasRoom = this.push(lengthened(response));
      if (!hasRoom) await new Promise<void>((resolve) => this.#wake = resolve);
      if (this.destroyed) return;
    }
  }
}

export function openDnsConnection(answer: Answerer): Socket {
  return new DnsConnection(answer) as unknown as Socket;
}

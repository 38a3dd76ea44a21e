/** Reads exact lengths from a socket, whatever the pieces it comes in. */

import type { Socket } from "node:net";
import { Buffer } from "node:buffer";

export class ByteReader {
  readonly #socket: Socket;
  readonly #onData: (chunk: Buffer) => void;
  #held = Buffer.alloc(0);
  #isOver = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#onData = (chunk) => {
      this.#held = Buffer.concat([this.#held, chunk]);
      this.#wake();
    };
    socket.on("data", this.#onData);
    for (const event of ["end", "close", "error"]) {
      socket.once(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  /** The first octet, left where it is. */
  async peek(): Promise<number> {
    while (this.#held.length < 1) await this.#more();
    return this.#held.readUInt8(0);
  }

  async take(length: number): Promise<Buffer> {
    while (this.#held.length < length) await this.#more();
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async takeByte(): Promise<number> {
    return (await this.take(1)).readUInt8(0);
  }

  /** What stands before `end`, which is taken too. */
  async takeUntil(end: string): Promise<string> {
    while (this.#held.indexOf(end, 0, "latin1") < 0) await this.#more();
    const at = this.#held.indexOf(end, 0, "latin1");
    const text = (await this.take(at)).toString("latin1");
    await this.take(end.length);
    return text;
  }

  /** Ends the reading; returns what came too early. The socket is paused. */
  release(): Buffer {
    this.#socket.off("data", this.#onData);
    this.#socket.pause();
    return this.#held;
  }

  #more(): Promise<void> {
    if (this.#isOver) throw new Error("The peer closed in the middle of a message");
    return new Promise((resolve) => this.#wake = resolve);
  }
}

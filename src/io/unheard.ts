/**
 * The connections to one listener that have not said yet what they want. Any user of this machine
 * may open some: of more than `max` the oldest are closed, so that a flood shuts out nobody.
 */

import type { Socket } from "node:net";

export class Unheard {
  readonly #max: number;
  readonly #sockets = new Set<Socket>();

  constructor(max: number) {
    this.#max = max;
  }

  add(socket: Socket): void {
    this.#sockets.add(socket);
    if (this.#sockets.size <= this.#max) return;
    const [oldest] = this.#sockets;
    this.#sockets.delete(oldest!);
    oldest!.destroy();
  }

  has(socket: Socket): boolean {
    return this.#sockets.has(socket);
  }

  /** It has said what it wants, or is gone. */
  delete(socket: Socket): void {
    this.#sockets.delete(socket);
  }
}

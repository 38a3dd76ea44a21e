/**
 * What the machines of one request and one reply have in common: the request is ready from the
 * start, octets are gathered until the reply is whole, and after it nothing may be fed.
 */

import type { BoundAddress, ClientEvent, ClientMachine, Failure } from "./machine.ts";
import { OctetBuffer } from "./octets.ts";

export abstract class OneReplyClient implements ClientMachine {
  readonly #request: Uint8Array;
  #isDone = false;
  /** What arrived and is not yet taken. */
  protected readonly input = new OctetBuffer();

  constructor(request: Uint8Array) {
    this.#request = request;
  }

  start(): Uint8Array {
    return this.#request;
  }

  receive(chunk: Uint8Array): ClientEvent[] {
    if (this.#isDone) throw new Error("receive() after the end of the handshake");
    this.input.append(chunk);
    return this.readReply();
  }

  /** The end, by establish() or fail(), or none while the reply is not whole. */
  protected abstract readReply(): ClientEvent[];

  /** The reply was taken from `input`; what is left there is the application's. */
  protected establish(bound: BoundAddress | undefined): ClientEvent[] {
    this.#isDone = true;
    return [{ kind: "established", bound, rest: this.input.takeAll() }];
  }

  protected fail(failure: Failure): ClientEvent[] {
    this.#isDone = true;
    return [{ kind: "failed", failure }];
  }
}

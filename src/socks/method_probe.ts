/**
 * Asks a SOCKS5 server whether it takes one authentication method: a greeting that offers it alone
 * (RFC 1928 §3), and nothing behind it.
 */

import { describeStranger, makeFailure } from "./failure.ts";
import type { ClientEvent } from "./machine.ts";
import { OneReplyClient } from "./one_reply.ts";
import { METHOD_NO_ACCEPTABLE_METHODS, VER_SOCKS5 } from "./socks5_wire.ts";

/** Established where the server chose the method, NO_ACCEPTABLE_METHODS where it takes it not. */
export class MethodProbe extends OneReplyClient {
  readonly #method: number;

  constructor(method: number) {
    super(new Uint8Array([VER_SOCKS5, 1, method]));
    this.#method = method;
  }

  protected override readReply(): ClientEvent[] {
    const [ver, method] = this.input.view();
    if (ver !== undefined && ver !== VER_SOCKS5) {
      const detail = describeStranger(this.input.view(), "a SOCKS5 server");
      return this.fail(makeFailure("PROTOCOL_ERROR", detail));
    }
    if (method === undefined) return [];
    this.input.take(2);
    if (method === this.#method) return this.establish(undefined);
    return method === METHOD_NO_ACCEPTABLE_METHODS
      ? this.fail(makeFailure("NO_ACCEPTABLE_METHODS", ""))
      : this.fail(makeFailure("PROTOCOL_ERROR", `the server chose METHOD ${method}, not offered`));
  }
}

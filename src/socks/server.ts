/**
 * The server's side, whichever protocol the program speaks: the first octet tells, and the machine
 * of that protocol does the rest.
 */

import { hexOf, makeFailure } from "./failure.ts";
import type { Access, Failure, ServerEvent, ServerMachine } from "./machine.ts";
import { HttpServer } from "./server_http.ts";
import { Socks4Server } from "./server_socks4.ts";
import { Socks5Server } from "./server_socks5.ts";
import { VN_SOCKS4 } from "./socks4_wire.ts";
import { VER_SOCKS5 } from "./socks5_wire.ts";

/**
 * X'05' is SOCKS5, X'04' SOCKS 4 or 4a, an upper-case letter HTTP; all else fails with
 * PROTOCOL_ERROR and no answer, its protocol being unknown.
 */
export function createServerMachine(access: Access): ServerMachine {
  return new SniffingServer(access);
}

class SniffingServer implements ServerMachine {
  readonly #access: Access;
  #machine: ServerMachine | undefined;

  constructor(access: Access) {
    this.#access = access;
  }

  receive(chunk: Uint8Array): ServerEvent[] {
    const [first] = chunk;
    if (this.#machine === undefined && first !== undefined) {
      this.#machine = createMachineFor(first, this.#access);
      if (this.#machine === undefined) return [failUnknown(chunk)];
    }
    return this.#machine?.receive(chunk) ?? [];
  }

  accept(): Uint8Array {
    return this.#machine?.accept() ?? new Uint8Array();
  }

  refuse(failure: Failure): Uint8Array {
    return this.#machine?.refuse(failure) ?? new Uint8Array();
  }
}

function createMachineFor(first: number, access: Access): ServerMachine | undefined {
  if (first === VER_SOCKS5) return new Socks5Server(access);
  if (first === VN_SOCKS4) return new Socks4Server(access);
  const isUpperCase = first >= 0x41 && first <= 0x5a;
  return isUpperCase ? new HttpServer(access) : undefined;
}

/** One octet is shown: what follows might be anything, a password too. */
function failUnknown(chunk: Uint8Array): ServerEvent {
  const detail = `the first octet ${hexOf(chunk.subarray(0, 1))} starts neither SOCKS nor HTTP`;
  const failure = makeFailure("PROTOCOL_ERROR", detail);
  return { kind: "failed", bytes: new Uint8Array(), failure };
}

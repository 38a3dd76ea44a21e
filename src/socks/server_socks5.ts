/**
 * The SOCKS5 face: method selection, user/password, one CONNECT. RFC 1928 §3–6, RFC 1929. BIND and
 * UDP ASSOCIATE are answered with REP X'07'.
 */

import { destinationFromOctets } from "./destination.ts";
import { makeFailure } from "./failure.ts";
import type { Access, Failure, FailureCode, ServerEvent, ServerMachine } from "./machine.ts";
import { concatOctets, decodeText, OctetBuffer } from "./octets.ts";
import { replyOf } from "./reply.ts";
import {
  CMD_CONNECT,
  decodeEndpoint,
  encodeEndpoint,
  endpointLength,
  METHOD_NO_ACCEPTABLE_METHODS,
  METHOD_NO_AUTHENTICATION,
  METHOD_USERNAME_PASSWORD,
  REP_SUCCEEDED,
  RSV,
  STATUS_FAILURE,
  STATUS_SUCCESS,
  VER_SOCKS5,
  VER_USERNAME_PASSWORD,
} from "./socks5_wire.ts";

export class Socks5Server implements ServerMachine {
  readonly #access: Access;
  readonly #input = new OctetBuffer();
  #phase: "methods" | "password" | "request" | "done" = "methods";

  constructor(access: Access) {
    this.#access = access;
  }

  receive(chunk: Uint8Array): ServerEvent[] {
    if (this.#phase === "done") throw new Error("receive() after the request");
    this.#input.append(chunk);
    const events: ServerEvent[] = [];
    // A client need not wait for our answers: one chunk may hold all three messages.
    for (let event = this.#step(); event !== undefined; event = this.#step()) events.push(event);
    return events;
  }

  accept(): Uint8Array {
    return encodeReply(REP_SUCCEEDED);
  }

  refuse({ code }: Failure): Uint8Array {
    return encodeReply(replyOf(code).rep);
  }

  /** The event of the next whole message, if there is one. */
  #step(): ServerEvent | undefined {
    switch (this.#phase) {
      case "methods":
        return this.#readMethods();
      case "password":
        return this.#readPassword();
      case "request":
        return this.#readRequest();
      case "done":
        return undefined;
    }
  }

  #readMethods(): ServerEvent | undefined {
    const [, nmethods] = this.#input.view();
    if (nmethods === undefined || this.#input.length < 2 + nmethods) return undefined;
    const methods = this.#input.take(2 + nmethods).subarray(2);
    const wanted = this.#access.isOpen ? METHOD_NO_AUTHENTICATION : METHOD_USERNAME_PASSWORD;
    if (!methods.includes(wanted)) {
      const bytes = new Uint8Array([VER_SOCKS5, METHOD_NO_ACCEPTABLE_METHODS]);
      return this.#fail(bytes, "NO_ACCEPTABLE_METHODS", `METHOD ${wanted} was not offered`);
    }
    this.#phase = this.#access.isOpen ? "request" : "password";
    return { kind: "send", bytes: new Uint8Array([VER_SOCKS5, wanted]) };
  }

  #readPassword(): ServerEvent | undefined {
    const octets = this.#input.view();
    const [ver, ulen] = octets;
    if (ver !== undefined && ver !== VER_USERNAME_PASSWORD) {
      return this.#fail(encodeStatus(STATUS_FAILURE), "PROTOCOL_ERROR", "not VER 1 of RFC 1929");
    }
    if (ulen === undefined) return undefined;
    const plen = octets[2 + ulen];
    if (plen === undefined || octets.length < 3 + ulen + plen) return undefined;
    const message = this.#input.take(3 + ulen + plen);
    const user = decodeText(message.subarray(2, 2 + ulen));
    const password = decodeText(message.subarray(3 + ulen));
    if (user === undefined || password === undefined || !this.#access.check(user, password)) {
      const words = "wrong user name or password";
      return this.#fail(encodeStatus(STATUS_FAILURE), "AUTHENTICATION_FAILED", words);
    }
    this.#phase = "request";
    return { kind: "send", bytes: encodeStatus(STATUS_SUCCESS) };
  }

  /** RSV is not looked at: nothing depends on it. */
  #readRequest(): ServerEvent | undefined {
    const [ver, cmd] = this.#input.view();
    if (ver !== undefined && ver !== VER_SOCKS5) {
      return this.#failRequest(makeFailure("PROTOCOL_ERROR", "the request is not VER 5"));
    }
    if (cmd !== undefined && cmd !== CMD_CONNECT) {
      return this.#failRequest(makeFailure("COMMAND_NOT_SUPPORTED", `CMD ${cmd}`));
    }
    const length = endpointLength(this.#input.view().subarray(3));
    if (length === "incomplete") return undefined;
    if (length === "unknown") {
      const words = `ATYP ${this.#input.view()[3]}`;
      return this.#failRequest(makeFailure("ADDRESS_TYPE_NOT_SUPPORTED", words));
    }
    if (this.#input.length < 3 + length) return undefined;
    return this.#accepted(this.#input.take(3 + length).subarray(3));
  }

  #accepted(octets: Uint8Array): ServerEvent {
    const endpoint = decodeEndpoint(octets);
    const destination = endpoint.kind === "name"
      ? destinationFromOctets(endpoint.name, endpoint.port)
      : endpoint;
    if ("failure" in destination) return this.#failRequest(destination.failure);
    this.#phase = "done";
    return { kind: "request", destination, rest: this.#input.takeAll(), filter: undefined };
  }

  #failRequest(failure: Failure): ServerEvent {
    return this.#fail(this.refuse(failure), failure.code, failure.detail);
  }

  #fail(bytes: Uint8Array, code: FailureCode, detail: string): ServerEvent {
    this.#phase = "done";
    return { kind: "failed", bytes, failure: makeFailure(code, detail) };
  }
}

function encodeStatus(status: number): Uint8Array {
  return new Uint8Array([VER_USERNAME_PASSWORD, status]);
}

/**
 * BND.ADDR and BND.PORT are zero: where we are connected from is no program's business.
 *
 *   +-----+-----+-------+------+----------+----------+
 *   | VER | REP |  RSV  | ATYP | BND.ADDR | BND.PORT |
 *   +-----+-----+-------+------+----------+----------+
 *   |  1  |  1  | X'00' |  1   | Variable |    2     |   // 3 + 1 + 4 + 2 = 10
 *   +-----+-----+-------+------+----------+----------+
 */
function encodeReply(rep: number): Uint8Array {
  return concatOctets(new Uint8Array([VER_SOCKS5, rep, RSV]), encodeEndpoint(UNTOLD));
}

const UNTOLD = {
  kind: "address",
  address: { version: 4, bytes: new Uint8Array(4) },
  port: 0,
} as const;

/**
 * The second half of SOCKS5, request and reply (RFC 1928 §4–6), and the whole of it: session, then
 * request. Of another CMD than CONNECT only the first reply is read.
 */

import type { Credentials } from "../config/model.ts";
import type { Destination } from "../net/address.ts";
import { checkName } from "./destination.ts";
import { describeStranger, escapeControls, makeFailure } from "./failure.ts";
import type { BoundAddress, ClientEvent, ClientMachine, Failure } from "./machine.ts";
import { concatOctets, decodeLossy, encodeText } from "./octets.ts";
import { OneReplyClient } from "./one_reply.ts";
import { failureFromRep } from "./reply.ts";
import { Socks5Session } from "./socks5_session.ts";
import {
  CMD_CONNECT,
  decodeEndpoint,
  encodeEndpoint,
  endpointLength,
  REP_SUCCEEDED,
  RSV,
  VER_SOCKS5,
} from "./socks5_wire.ts";

/**
 * The machine of one request, for a connection whose Socks5Session is ready.
 * Fails at once with NAME_TOO_LONG or NAME_NOT_FOUND for a name that cannot be sent.
 */
export function createSocks5Request(
  destination: Destination,
  cmd = CMD_CONNECT,
): ClientMachine | { failure: Failure } {
  const failure = destination.kind === "name" ? checkName(destination.name) : undefined;
  return failure === undefined ? new Socks5Request(encodeRequest(destination, cmd)) : { failure };
}

/** Session and request, one behind the other; fails at once as createSocks5Request() does. */
export function createSocks5Client(
  credentials: Credentials,
  destination: Destination,
  cmd = CMD_CONNECT,
): ClientMachine | { failure: Failure } {
  const request = createSocks5Request(destination, cmd);
  return "failure" in request ? request : new Socks5Client(new Socks5Session(credentials), request);
}

class Socks5Client implements ClientMachine {
  readonly #session: Socks5Session;
  readonly #request: ClientMachine;
  #isReady = false;

  constructor(session: Socks5Session, request: ClientMachine) {
    this.#session = session;
    this.#request = request;
  }

  start(): Uint8Array {
    return this.#session.start();
  }

  receive(chunk: Uint8Array): ClientEvent[] {
    if (this.#isReady) return this.#request.receive(chunk);
    return this.#session.receive(chunk).flatMap((event) =>
      event.kind === "ready" ? this.#sendRequest(event.rest) : [event]
    );
  }

  #sendRequest(rest: Uint8Array): ClientEvent[] {
    this.#isReady = true;
    return [{ kind: "send", bytes: this.#request.start() }, ...this.#request.receive(rest)];
  }
}

class Socks5Request extends OneReplyClient {
  protected override readReply(): ClientEvent[] {
    const [ver, rep] = this.input.view();
    if (ver !== undefined && ver !== VER_SOCKS5) {
      const detail = describeStranger(this.input.view().subarray(0, 2), "a SOCKS5 reply");
      return this.fail(makeFailure("PROTOCOL_ERROR", detail));
    }
    if (rep === undefined) return [];
    // Of a refusal the first two octets tell all; some servers send no more, or no valid address.
    if (rep !== REP_SUCCEEDED) return this.fail(failureFromRep(rep));
    return this.#receiveBound();
  }

  #receiveBound(): ClientEvent[] {
    const length = endpointLength(this.input.view().subarray(3));
    if (length === "incomplete") return [];
    if (length === "unknown") {
      const detail = `the server's reply has unknown ATYP ${this.input.view()[3]}`;
      return this.fail(makeFailure("PROTOCOL_ERROR", detail));
    }
    if (this.input.length < 3 + length) return [];
    return this.establish(readBound(this.input.take(3 + length).subarray(3)));
  }
}

/** BND.ADDR may be a name of any length, 0 included; it is only ever shown. */
function readBound(octets: Uint8Array): BoundAddress {
  const endpoint = decodeEndpoint(octets);
  return endpoint.kind === "name"
    ? { ...endpoint, name: escapeControls(decodeLossy(endpoint.name)) }
    : endpoint;
}

/**
 *   +-----+-----+-------+------+----------+----------+
 *   | VER | CMD |  RSV  | ATYP | DST.ADDR | DST.PORT |
 *   +-----+-----+-------+------+----------+----------+
 *   |  1  |  1  | X'00' |  1   | Variable |    2     |   // 3 + 7, 19, or 4 + name
 *   +-----+-----+-------+------+----------+----------+
 */
function encodeRequest(destination: Destination, cmd: number): Uint8Array {
  const endpoint = destination.kind === "name"
    ? { ...destination, name: encodeText(destination.name) }
    : destination;
  return concatOctets(new Uint8Array([VER_SOCKS5, cmd, RSV]), encodeEndpoint(endpoint));
}

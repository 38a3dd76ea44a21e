/**
 * The SOCKS 4 and 4a face: one CONNECT, told apart by DSTIP. Sources: see socks4_wire.ts. The USERID
 * is all that SOCKS4 has for credentials.
 */

import { addressFromBytes, type Destination } from "../net/address.ts";
import { destinationFromOctets } from "./destination.ts";
import { makeFailure } from "./failure.ts";
import type { Access, Failure, FailureCode, ServerEvent, ServerMachine } from "./machine.ts";
import { decodeText, OctetBuffer } from "./octets.ts";
import { replyOf } from "./reply.ts";
import { announcesName, CD_CONNECT, CD_GRANTED, encodeReply } from "./socks4_wire.ts";

/** VN, CD, DSTPORT, DSTIP. */
const HEADER_LENGTH = 8;
const MAX_FIELD_OCTETS = 255;

export class Socks4Server implements ServerMachine {
  readonly #access: Access;
  readonly #input = new OctetBuffer();
  #isDone = false;

  constructor(access: Access) {
    this.#access = access;
  }

  receive(chunk: Uint8Array): ServerEvent[] {
    if (this.#isDone) throw new Error("receive() after the request");
    this.#input.append(chunk);
    const event = this.#readRequest();
    this.#isDone = event !== undefined;
    return event === undefined ? [] : [event];
  }

  accept(): Uint8Array {
    return encodeReply(CD_GRANTED);
  }

  refuse({ code }: Failure): Uint8Array {
    return encodeReply(replyOf(code).cd);
  }

  #readRequest(): ServerEvent | undefined {
    const octets = this.#input.view();
    const [, cd] = octets;
    if (cd !== undefined && cd !== CD_CONNECT) {
      return this.#fail("COMMAND_NOT_SUPPORTED", `CD ${cd}`);
    }
    if (octets.length < HEADER_LENGTH) return undefined;
    const useridEnd = findNull(octets, HEADER_LENGTH);
    if (useridEnd === "incomplete") return undefined;
    if (useridEnd === "too long") return this.#fail("PROTOCOL_ERROR", "USERID over 255 octets");
    if (!this.#isAllowed(octets.subarray(HEADER_LENGTH, useridEnd))) {
      return this.#fail("AUTHENTICATION_FAILED", "wrong USERID");
    }
    const nameEnd = announcesName(octets.subarray(4, 8))
      ? findNull(octets, useridEnd + 1)
      : useridEnd;
    if (nameEnd === "incomplete") return undefined;
    if (nameEnd === "too long") return this.#fail("NAME_TOO_LONG", "name over 255 octets");
    return this.#accepted(useridEnd, nameEnd);
  }

  #isAllowed(userid: Uint8Array): boolean {
    if (this.#access.isOpen) return true;
    const user = decodeText(userid);
    return user !== undefined && this.#access.check(user, undefined);
  }

  /** `nameEnd` is `useridEnd` where there is no name. */
  #accepted(useridEnd: number, nameEnd: number): ServerEvent {
    const message = this.#input.take(nameEnd + 1);
    const destination = readDestination(message, message.subarray(useridEnd + 1, nameEnd));
    if ("failure" in destination) {
      return this.#fail(destination.failure.code, destination.failure.detail);
    }
    return { kind: "request", destination, rest: this.#input.takeAll(), filter: undefined };
  }

  #fail(code: FailureCode, detail: string): ServerEvent {
    const failure = makeFailure(code, detail);
    return { kind: "failed", bytes: this.refuse(failure), failure };
  }
}

/** The offset of the X'00' that ends the field at `start`. */
function findNull(octets: Uint8Array, start: number): number | "incomplete" | "too long" {
  const end = octets.subarray(start, start + MAX_FIELD_OCTETS + 1).indexOf(0);
  if (end >= 0) return start + end;
  return octets.length - start > MAX_FIELD_OCTETS ? "too long" : "incomplete";
}

function readDestination(
  message: Uint8Array,
  name: Uint8Array,
): Destination | { failure: Failure } {
  const port = new DataView(message.buffer, message.byteOffset).getUint16(2);
  const dstIp = message.slice(4, 8);
  if (announcesName(dstIp)) return destinationFromOctets(name, port);
  return { kind: "address", address: addressFromBytes(dstIp), port };
}

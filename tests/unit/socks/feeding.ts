/**
 * Feeds machines: whole, octet by octet, cut short, and with bytes behind that must survive. Octets
 * are written as the RFCs draw them, in hexadecimal; nothing here encodes or decodes a protocol.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Credentials } from "../../../src/config/model.ts";
import type { Destination } from "../../../src/net/address.ts";
import { parseIpAddress } from "../../../src/net/address.ts";
import type {
  Access,
  ClientEvent,
  ClientMachine,
  Failure,
  ServerEvent,
  ServerMachine,
} from "../../../src/socks/machine.ts";

/** What an SSH server says at once, often in the packet of the SOCKS reply. */
export const BANNER = ascii("SSH-2.0-x\r\n");

/** `hex("05 01 00")` */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/[0-9a-fA-F]{2}/g) ?? [], (pair) => parseInt(pair, 16));
}

/** One octet per character. */
export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

export function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Octets as text that a failed assertion shows well. */
export function show(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

export function byOctet(octets: Uint8Array): Uint8Array[] {
  return Array.from(octets, (octet) => new Uint8Array([octet]));
}

export function addressOf(text: string, port: number): Destination {
  const address = parseIpAddress(text);
  assert(address);
  return { kind: "address", address, port };
}

export function nameOf(name: string, port: number): Destination {
  return { kind: "name", name, port };
}

export const NO_PASSWORD = new Credentials("eve", undefined);
export const PASSWORD = new Credentials("bob", "s3cret");

/** Lets bob in, with his password where the protocol has one. */
export const CLOSED: Access = {
  isOpen: false,
  check: (user, password) => user === "bob" && (password === undefined || password === "s3cret"),
};
export const OPEN: Access = { isOpen: true, check: () => false };

/** `rest` has everything that was fed behind the last octet of the handshake. */
export interface Outcome<Event> {
  sent: Uint8Array;
  end: Event | undefined;
  rest: Uint8Array;
}

export type ClientEnd = Exclude<ClientEvent, { kind: "send" }>;
export type ServerEnd = Exclude<ServerEvent, { kind: "send" }>;

export function runClient(machine: ClientMachine, chunks: Uint8Array[]): Outcome<ClientEnd> {
  return run(machine, chunks, machine.start());
}

export function runServer(machine: ServerMachine, chunks: Uint8Array[]): Outcome<ServerEnd> {
  return run(machine, chunks, new Uint8Array());
}

type AnyEvent = { kind: "send"; bytes: Uint8Array } | { kind: string; rest?: Uint8Array };

function run<Event extends AnyEvent>(
  machine: { receive(chunk: Uint8Array): Event[] },
  chunks: Uint8Array[],
  start: Uint8Array,
): Outcome<Exclude<Event, { kind: "send" }>> {
  const sent = [start];
  for (const [at, chunk] of chunks.entries()) {
    for (const event of machine.receive(chunk)) {
      if (event.kind === "send") {
        sent.push((event as { bytes: Uint8Array }).bytes);
        continue;
      }
      const end = event as Exclude<Event, { kind: "send" }>;
      const rest = (event as { rest?: Uint8Array }).rest ?? new Uint8Array();
      return { sent: join(...sent), end, rest: join(rest, ...chunks.slice(at + 1)) };
    }
  }
  return { sent: join(...sent), end: undefined, rest: new Uint8Array() };
}

/** A machine that exists, or the test fails. */
export function unwrap(machine: ClientMachine | { failure: Failure }): ClientMachine {
  assert(!("failure" in machine), "failure" in machine ? machine.failure.detail : "");
  return machine;
}

/**
 * Three tests: an accepted handshake, fed whole, octet by octet and with the banner behind it, gives
 * `sent` and ends with `kind`; and cut short anywhere it neither throws nor ends.
 */
export function testHandshake(name: string, vector: {
  feed: (chunks: Uint8Array[]) => Outcome<{ kind: string }>;
  received: Uint8Array;
  sent: Uint8Array;
  kind: "established" | "request";
}): void {
  const { feed, received, sent, kind } = vector;
  test(`${name}, whole and octet by octet`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const outcome = feed(chunks);
      assert.equal(show(outcome.sent), show(sent));
      assert.equal(outcome.end?.kind, kind);
      assert.equal(outcome.rest.length, 0);
    }
  });
  test(`${name}, keeps what comes behind`, () => {
    const octets = join(received, BANNER);
    for (const chunks of [[octets], byOctet(octets), [received, BANNER]]) {
      assert.equal(show(feed(chunks).rest), show(BANNER));
    }
  });
  test(`${name}, waits when cut short`, () => {
    for (let length = 0; length < received.length; length++) {
      const part = received.subarray(0, length);
      assert.equal(feed([part]).end, undefined, `cut to ${length}`);
      assert.equal(feed(byOctet(part)).end, undefined, `cut to ${length}, octet by octet`);
    }
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Destination } from "../../../src/net/address.ts";
import type { Access, FailureCode } from "../../../src/socks/machine.ts";
import { Socks4Server } from "../../../src/socks/server_socks4.ts";
import {
  addressOf,
  ascii,
  byOctet,
  CLOSED,
  hex,
  join,
  nameOf,
  OPEN,
  runServer,
  testHandshake,
} from "./feeding.ts";

const NULL = hex("00");
const V4 = hex("04 01 0050 0a0104fd");
const NAMED = hex("04 01 01bb 00000001");

const ACCEPTED: [string, Access, Uint8Array, Destination][] = [
  ["SOCKS4 server open to all", OPEN, join(V4, NULL), addressOf("10.1.4.253", 80)],
  [
    "SOCKS4 server with a USERID of 255 octets",
    OPEN,
    join(V4, ascii("u".repeat(255)), NULL),
    addressOf("10.1.4.253", 80),
  ],
  [
    "SOCKS4 server that knows the USERID",
    CLOSED,
    join(V4, ascii("bob"), NULL),
    addressOf("10.1.4.253", 80),
  ],
  [
    "SOCKS4A server asked for a name",
    CLOSED,
    join(NAMED, ascii("bob"), NULL, ascii("hello.example"), NULL),
    nameOf("hello.example", 443),
  ],
  [
    "SOCKS4A server asked for a name of 255 octets",
    OPEN,
    join(NAMED, NULL, ascii("n".repeat(255)), NULL),
    nameOf("n".repeat(255), 443),
  ],
  [
    "SOCKS4A server asked for an address written as a name",
    OPEN,
    join(NAMED, NULL, ascii("127.0.0.1"), NULL),
    addressOf("127.0.0.1", 443),
  ],
  [
    "SOCKS4 server asked for 0.0.0.0",
    OPEN,
    hex("04 01 0050 00000000 00"),
    addressOf("0.0.0.0", 80),
  ],
];

for (const [name, access, received, destination] of ACCEPTED) {
  const feed = (chunks: Uint8Array[]) => runServer(new Socks4Server(access), chunks);
  testHandshake(name, { feed, received, sent: new Uint8Array(), kind: "request" });
  test(`${name}, reads the destination`, () => {
    const { end } = feed([received]);
    assert(end?.kind === "request");
    assert.deepEqual(end.destination, destination);
    assert.equal(end.filter, undefined);
  });
}

const REJECTED = hex("00 5b 0000 00000000");
const USERS_DIFFER = hex("00 5d 0000 00000000");

const REFUSED: [string, Access, Uint8Array, Uint8Array, FailureCode][] = [
  ["BIND", OPEN, hex("04 02"), REJECTED, "COMMAND_NOT_SUPPORTED"],
  ["a USERID over 255 octets", OPEN, join(V4, ascii("u".repeat(256))), REJECTED, "PROTOCOL_ERROR"],
  ["another USERID", CLOSED, join(V4, ascii("eve"), NULL), USERS_DIFFER, "AUTHENTICATION_FAILED"],
  ["no USERID", CLOSED, join(V4, NULL), USERS_DIFFER, "AUTHENTICATION_FAILED"],
  ["USERID X'FF'", CLOSED, join(V4, hex("ff 00")), USERS_DIFFER, "AUTHENTICATION_FAILED"],
  [
    "a name over 255 octets",
    OPEN,
    join(NAMED, NULL, ascii("n".repeat(256))),
    REJECTED,
    "NAME_TOO_LONG",
  ],
  ["an empty name", OPEN, join(NAMED, NULL, NULL), REJECTED, "NAME_NOT_FOUND"],
];

for (const [what, access, received, bytes, code] of REFUSED) {
  test(`SOCKS4 server fails with ${code} when sent ${what}`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const { end } = runServer(new Socks4Server(access), chunks);
      assert(end?.kind === "failed");
      assert.equal(end.failure.code, code);
      assert.deepEqual(end.bytes, bytes);
      assert.doesNotMatch(end.failure.detail, /eve|bob/);
    }
  });
}

test("SOCKS4 server accepts with CD 90 and refuses with CD 91", () => {
  const machine = new Socks4Server(OPEN);
  assert.deepEqual(machine.accept(), hex("00 5a 0000 00000000"));
  assert.deepEqual(machine.refuse({ code: "HOST_UNREACHABLE", detail: "" }), REJECTED);
});

test("SOCKS4 server throws when fed after its request", () => {
  const machine = new Socks4Server(OPEN);
  machine.receive(join(V4, NULL));
  assert.throws(() => machine.receive(NULL));
});

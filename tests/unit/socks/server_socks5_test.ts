import assert from "node:assert/strict";
import { test } from "node:test";
import type { Destination } from "../../../src/net/address.ts";
import type { Access, FailureCode } from "../../../src/socks/machine.ts";
import { Socks5Server } from "../../../src/socks/server_socks5.ts";
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
  show,
  testHandshake,
} from "./feeding.ts";

const BOB = join(hex("01 03"), ascii("bob"), hex("06"), ascii("s3cret"));
const V4_REQUEST = hex("05 01 00 01 0a0104fd 0050");

interface Accepted {
  name: string;
  access: Access;
  received: Uint8Array;
  sent: Uint8Array;
  destination: Destination;
}

const ACCEPTED: Accepted[] = [
  {
    name: "SOCKS5 server open to all",
    access: OPEN,
    received: join(hex("05 01 00"), V4_REQUEST),
    sent: hex("05 00"),
    destination: addressOf("10.1.4.253", 80),
  },
  {
    name: "SOCKS5 server that needs no password though one is offered",
    access: OPEN,
    received: join(hex("05 03 00 01 02"), V4_REQUEST),
    sent: hex("05 00"),
    destination: addressOf("10.1.4.253", 80),
  },
  {
    name: "SOCKS5 server with a password",
    access: CLOSED,
    received: join(hex("05 02 00 02"), BOB, V4_REQUEST),
    sent: hex("05 02 01 00"),
    destination: addressOf("10.1.4.253", 80),
  },
  {
    name: "SOCKS5 server asked for a name",
    access: OPEN,
    received: join(hex("05 01 00 05 01 00 03 0d"), ascii("hello.example"), hex("01bb")),
    sent: hex("05 00"),
    destination: nameOf("hello.example", 443),
  },
  {
    name: "SOCKS5 server asked for an address written as a name",
    access: OPEN,
    received: join(hex("05 01 00 05 01 00 03 03"), ascii("::1"), hex("0050")),
    sent: hex("05 00"),
    destination: addressOf("::1", 80),
  },
  {
    name: "SOCKS5 server asked for IPv6",
    access: OPEN,
    received: hex("05 01 00 05 01 00 04 20010db8000000000000000000000001 0016"),
    sent: hex("05 00"),
    destination: addressOf("2001:db8::1", 22),
  },
  {
    name: "SOCKS5 server asked for v4-mapped IPv6",
    access: OPEN,
    received: hex("05 01 00 05 01 00 04 00000000000000000000ffff0a0104fd 0050"),
    sent: hex("05 00"),
    destination: addressOf("10.1.4.253", 80),
  },
];

for (const { name, access, received, sent, destination } of ACCEPTED) {
  const feed = (chunks: Uint8Array[]) => runServer(new Socks5Server(access), chunks);
  testHandshake(name, { feed, received, sent, kind: "request" });
  test(`${name}, reads the destination`, () => {
    const { end } = feed([received]);
    assert(end?.kind === "request");
    assert.deepEqual(end.destination, destination);
    assert.equal(end.filter, undefined);
  });
}

type Refused = [string, Access, Uint8Array, Uint8Array, FailureCode];

const WRONG = join(hex("01 03"), ascii("bob"), hex("05"), ascii("wrong"));
const REFUSED: Refused[] = [
  ["no methods", OPEN, hex("05 00"), hex("05 ff"), "NO_ACCEPTABLE_METHODS"],
  ["only a password when open", OPEN, hex("05 01 02"), hex("05 ff"), "NO_ACCEPTABLE_METHODS"],
  ["no password", CLOSED, hex("05 02 00 01"), hex("05 ff"), "NO_ACCEPTABLE_METHODS"],
  [
    "a wrong password",
    CLOSED,
    join(hex("05 01 02"), WRONG),
    hex("05 02 01 01"),
    "AUTHENTICATION_FAILED",
  ],
  [
    "empty credentials",
    CLOSED,
    hex("05 01 02 01 00 00"),
    hex("05 02 01 01"),
    "AUTHENTICATION_FAILED",
  ],
  [
    "a user name that is not UTF-8",
    CLOSED,
    hex("05 01 02 01 01 ff 01 61"),
    hex("05 02 01 01"),
    "AUTHENTICATION_FAILED",
  ],
  ["another version of RFC 1929", CLOSED, hex("05 01 02 05"), hex("05 02 01 01"), "PROTOCOL_ERROR"],
  [
    "a request in place of the password",
    CLOSED,
    join(hex("05 01 02"), V4_REQUEST),
    hex("05 02 01 01"),
    "PROTOCOL_ERROR",
  ],
  [
    "BIND",
    OPEN,
    hex("05 01 00 05 02 00 01 0a0104fd 0050"),
    hex("05 00 05 07 00 01 00000000 0000"),
    "COMMAND_NOT_SUPPORTED",
  ],
  [
    "UDP ASSOCIATE",
    OPEN,
    hex("05 01 00 05 03"),
    hex("05 00 05 07 00 01 00000000 0000"),
    "COMMAND_NOT_SUPPORTED",
  ],
  [
    "ATYP 2",
    OPEN,
    hex("05 01 00 05 01 00 02"),
    hex("05 00 05 08 00 01 00000000 0000"),
    "ADDRESS_TYPE_NOT_SUPPORTED",
  ],
  [
    "an empty name",
    OPEN,
    hex("05 01 00 05 01 00 03 00 0050"),
    hex("05 00 05 04 00 01 00000000 0000"),
    "NAME_NOT_FOUND",
  ],
  [
    "a name with X'00'",
    OPEN,
    hex("05 01 00 05 01 00 03 03 610062 0050"),
    hex("05 00 05 04 00 01 00000000 0000"),
    "NAME_NOT_FOUND",
  ],
  [
    "a request of version 4",
    OPEN,
    hex("05 01 00 04"),
    hex("05 00 05 01 00 01 00000000 0000"),
    "PROTOCOL_ERROR",
  ],
];

for (const [what, access, received, sent, code] of REFUSED) {
  test(`SOCKS5 server fails with ${code} when sent ${what}`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const outcome = runServer(new Socks5Server(access), chunks);
      assert(outcome.end?.kind === "failed");
      assert.equal(outcome.end.failure.code, code);
      assert.equal(show(join(outcome.sent, outcome.end.bytes)), show(sent));
      assert.doesNotMatch(outcome.end.failure.detail, /bob|s3cret|wrong$/);
    }
  });
}

test("SOCKS5 server accepts with REP 0 and refuses with the REP of the failure", () => {
  const machine = new Socks5Server(OPEN);
  assert.deepEqual(machine.accept(), hex("05 00 00 01 00000000 0000"));
  const refused = machine.refuse({ code: "CONNECTION_REFUSED", detail: "x" });
  assert.deepEqual(refused, hex("05 05 00 01 00000000 0000"));
});

test("SOCKS5 server throws when fed after its request", () => {
  const machine = new Socks5Server(OPEN);
  machine.receive(join(hex("05 01 00"), V4_REQUEST));
  assert.throws(() => machine.receive(hex("00")));
});

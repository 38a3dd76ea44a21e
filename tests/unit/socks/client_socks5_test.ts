import assert from "node:assert/strict";
import { test } from "node:test";
import { Credentials } from "../../../src/config/model.ts";
import { createSocks5Client, createSocks5Request } from "../../../src/socks/client_socks5.ts";
import type { FailureCode } from "../../../src/socks/machine.ts";
import { Socks5Session } from "../../../src/socks/socks5_session.ts";
import {
  addressOf,
  ascii,
  byOctet,
  hex,
  join,
  nameOf,
  NO_PASSWORD,
  PASSWORD,
  runClient,
  show,
  testHandshake,
  unwrap,
} from "./feeding.ts";

const BOB = join(hex("01 03"), ascii("bob"), hex("06"), ascii("s3cret"));
const V4 = addressOf("10.1.4.253", 80);
const V4_REQUEST = hex("05 01 00 01 0a0104fd 0050");

const ACCEPTED = [
  {
    name: "SOCKS5 client to IPv4 without authentication",
    credentials: NO_PASSWORD,
    destination: V4,
    received: hex("05 00  05 00 00 01 00000000 0000"),
    sent: join(hex("05 01 00"), V4_REQUEST),
  },
  {
    name: "SOCKS5 client whose password is not wanted",
    credentials: PASSWORD,
    destination: V4,
    received: hex("05 00  05 00 00 01 7f000001 1234"),
    sent: join(hex("05 02 00 02"), V4_REQUEST),
  },
  {
    name: "SOCKS5 client with a password",
    credentials: PASSWORD,
    destination: V4,
    received: hex("05 02  01 00  05 00 00 01 7f000001 1234"),
    sent: join(hex("05 02 00 02"), BOB, V4_REQUEST),
  },
  {
    name: "SOCKS5 client of a server that miscounts the version of RFC 1929",
    credentials: PASSWORD,
    destination: V4,
    received: hex("05 02  05 00  05 00 00 01 7f000001 1234"),
    sent: join(hex("05 02 00 02"), BOB, V4_REQUEST),
  },
  {
    name: "SOCKS5 client to a name, bound to IPv6",
    credentials: NO_PASSWORD,
    destination: nameOf("hello.example", 443),
    received: hex("05 00  05 00 00 04 20010db8000000000000000000000001 0050"),
    sent: join(hex("05 01 00  05 01 00 03 0d"), ascii("hello.example"), hex("01bb")),
  },
  {
    name: "SOCKS5 client to IPv6, bound to a name",
    credentials: NO_PASSWORD,
    destination: addressOf("2001:db8::1", 22),
    received: join(hex("05 00  05 00 00 03 05"), ascii("a.b.c"), hex("0050")),
    sent: hex("05 01 00  05 01 00 04 20010db8000000000000000000000001 0016"),
  },
  {
    name: "SOCKS5 client bound to an empty name",
    credentials: NO_PASSWORD,
    destination: V4,
    received: hex("05 00  05 00 00 03 00 0000"),
    sent: join(hex("05 01 00"), V4_REQUEST),
  },
  {
    name: "SOCKS5 client bound to a name of 255 octets",
    credentials: NO_PASSWORD,
    destination: nameOf("x".repeat(255), 80),
    received: join(hex("05 00  05 00 00 03 ff"), ascii("y".repeat(255)), hex("0050")),
    sent: join(hex("05 01 00  05 01 00 03 ff"), ascii("x".repeat(255)), hex("0050")),
  },
];

for (const { name, credentials, destination, received, sent } of ACCEPTED) {
  const feed = (chunks: Uint8Array[]) =>
    runClient(unwrap(createSocks5Client(credentials, destination)), chunks);
  testHandshake(name, { feed, received, sent, kind: "established" });
}

type Refused = [string, Credentials, Uint8Array, FailureCode, RegExp];

const REFUSED: Refused[] = [
  ["no method", NO_PASSWORD, hex("05 ff"), "NO_ACCEPTABLE_METHODS", /may want a user name/],
  ["no method of two", PASSWORD, hex("05 ff"), "NO_ACCEPTABLE_METHODS", /and password$/],
  ["a method not offered", NO_PASSWORD, hex("05 02"), "PROTOCOL_ERROR", /METHOD 2, not offered/],
  ["GSSAPI, not offered", PASSWORD, hex("05 01"), "PROTOCOL_ERROR", /METHOD 1, not offered/],
  ["a wrong password", PASSWORD, hex("05 02 01 01"), "AUTHENTICATION_FAILED", /X'0101'/],
  ["REP 5", NO_PASSWORD, hex("05 00 05 05"), "CONNECTION_REFUSED", /^$/],
  ["REP 240", NO_PASSWORD, hex("05 00 05 f0"), "GENERAL_FAILURE", /REP 240/],
  ["a reply of version 4", NO_PASSWORD, hex("05 00 04 00"), "PROTOCOL_ERROR", /not a SOCKS5 reply/],
  ["ATYP 2", NO_PASSWORD, hex("05 00 05 00 00 02"), "PROTOCOL_ERROR", /unknown ATYP 2/],
  ["SOCKS4", NO_PASSWORD, hex("00 5b 0000 00000000"), "PROTOCOL_ERROR", /server_type = 4/],
];

for (const [what, credentials, received, code, detail] of REFUSED) {
  test(`SOCKS5 client fails with ${code} when the server says ${what}`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const { end } = runClient(unwrap(createSocks5Client(credentials, V4)), chunks);
      assert(end?.kind === "failed");
      assert.equal(end.failure.code, code);
      assert.match(end.failure.detail, detail);
    }
  });
}

test("SOCKS5 client names an HTTP server by its answer", () => {
  const received = ascii("HTTP/1.1 400 Bad Request\r\n\r\n");
  const { end } = runClient(unwrap(createSocks5Client(NO_PASSWORD, V4)), [received]);
  assert(end?.kind === "failed");
  assert.equal(end.failure.code, "PROTOCOL_ERROR");
  assert.match(
    end.failure.detail,
    /"HTTP\/1.1 400 Bad Request": not a SOCKS5 .*server_type = http\?/,
  );
});

test("SOCKS5 client fails when user name or password cannot be sent", () => {
  const bad = [["", "x"], ["x", ""], ["x".repeat(256), "x"], ["x", "ü".repeat(128)]] as const;
  for (const [user, password] of bad) {
    const machine = unwrap(createSocks5Client(new Credentials(user, password), V4));
    const { end } = runClient(machine, [hex("05 02")]);
    assert(end?.kind === "failed");
    assert.equal(end.failure.code, "AUTHENTICATION_FAILED");
    assert.match(end.failure.detail, /1 to 255 octets/);
  }
});

test("SOCKS5 client sends user name and password of 255 octets as UTF-8", () => {
  const credentials = new Credentials("ü".repeat(127) + "x", "p".repeat(255));
  const { sent } = runClient(unwrap(createSocks5Client(credentials, V4)), [hex("05 02")]);
  assert.equal(sent.length, 4 + 3 + 255 + 255);
  assert.deepEqual(sent.slice(4, 8), hex("01 ff c3 bc"));
});

test("SOCKS5 client shows no password when the server echoes everything", () => {
  const echo = join(hex("05 02 00 02"), BOB);
  for (const chunks of [[echo], byOctet(echo), [hex("05 02"), hex("01 03"), BOB]]) {
    const { end } = runClient(unwrap(createSocks5Client(PASSWORD, V4)), chunks);
    assert(end?.kind === "failed");
    assert.doesNotMatch(JSON.stringify(end), /s3cret|bob/);
  }
});

test("SOCKS5 client reports the bound address", () => {
  const machine = unwrap(createSocks5Request(V4));
  const { end } = runClient(machine, [hex("05 00 00 01 7f000001 1234")]);
  assert(end?.kind === "established");
  assert.deepEqual(end.bound, addressOf("127.0.0.1", 0x1234));
});

test("SOCKS5 client escapes a bound name", () => {
  const machine = unwrap(createSocks5Request(V4));
  const { end } = runClient(machine, [hex("05 00 00 03 03 1b5b6d 1234")]);
  assert(end?.kind === "established");
  assert.deepEqual(end.bound, { kind: "name", name: "\\x1b[m", port: 0x1234 });
});

test("createSocks5Request() fails at once when the name cannot be sent", () => {
  for (
    const [name, code] of [["x".repeat(256), "NAME_TOO_LONG"], ["", "NAME_NOT_FOUND"]] as const
  ) {
    const request = createSocks5Request(nameOf(name, 80));
    assert("failure" in request);
    assert.equal(request.failure.code, code);
  }
});

test("Socks5Session is ready before any destination is known", () => {
  const session = new Socks5Session(PASSWORD);
  assert.deepEqual(session.start(), hex("05 02 00 02"));
  assert.deepEqual(session.receive(hex("05 02")), [{ kind: "send", bytes: BOB }]);
  const [event] = session.receive(hex("01 00 05"));
  assert(event?.kind === "ready");
  assert.deepEqual(event.rest, hex("05"));
  const { sent, end } = runClient(unwrap(createSocks5Request(V4)), [
    join(event.rest, hex("00 00 01 00000000 0000")),
  ]);
  assert.equal(show(sent), show(V4_REQUEST));
  assert.equal(end?.kind, "established");
});

test("SOCKS5 machines throw when fed after their end", () => {
  const session = new Socks5Session(NO_PASSWORD);
  session.receive(hex("05 00"));
  assert.throws(() => session.receive(hex("00")));
  const machine = unwrap(createSocks5Request(V4));
  machine.receive(hex("05 05"));
  assert.throws(() => machine.receive(hex("00")));
});

test("createSocks5Client() asks for another command than CONNECT", () => {
  const machine = unwrap(createSocks5Client(NO_PASSWORD, addressOf("0.0.0.0", 0), 3));
  const { sent, end } = runClient(machine, [hex("05 00  05 07")]);
  assert.equal(show(sent), show(hex("05 01 00  05 03 00 01 00000000 0000")));
  assert.equal(end?.kind === "failed" && end.failure.code, "COMMAND_NOT_SUPPORTED");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Credentials } from "../../../src/config/model.ts";
import type { Destination } from "../../../src/net/address.ts";
import { createSocks4Client } from "../../../src/socks/client_socks4.ts";
import type { FailureCode } from "../../../src/socks/machine.ts";
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
  testHandshake,
  unwrap,
} from "./feeding.ts";

const GRANTED = hex("00 5a 0000 00000000");
const V4 = addressOf("10.1.4.253", 80);

const ACCEPTED = [
  {
    name: "SOCKS4 client to an address",
    type: "4" as const,
    credentials: NO_PASSWORD,
    destination: V4,
    received: GRANTED,
    sent: join(hex("04 01 0050 0a0104fd"), ascii("eve"), hex("00")),
  },
  {
    name: "SOCKS4 client, which never sends the password",
    type: "4" as const,
    credentials: PASSWORD,
    destination: addressOf("0.0.0.0", 65535),
    received: hex("00 5a 1234 7f000001"),
    sent: join(hex("04 01 ffff 00000000"), ascii("bob"), hex("00")),
  },
  {
    name: "SOCKS4A client to a name",
    type: "4a" as const,
    credentials: new Credentials("", undefined),
    destination: nameOf("hello.example", 443),
    received: GRANTED,
    sent: join(hex("04 01 01bb 00000001 00"), ascii("hello.example"), hex("00")),
  },
  {
    name: "SOCKS4A client to an address",
    type: "4a" as const,
    credentials: NO_PASSWORD,
    destination: V4,
    received: GRANTED,
    sent: join(hex("04 01 0050 0a0104fd"), ascii("eve"), hex("00")),
  },
];

for (const { name, type, credentials, destination, received, sent } of ACCEPTED) {
  const feed = (chunks: Uint8Array[]) =>
    runClient(unwrap(createSocks4Client(type, credentials, destination)), chunks);
  testHandshake(name, { feed, received, sent, kind: "established" });
}

const REFUSED: [string, Uint8Array, FailureCode, RegExp][] = [
  ["CD 91", hex("00 5b"), "CONNECTION_REFUSED", /CD 91/],
  ["CD 92", hex("00 5c 0000 00000000"), "AUTHENTICATION_FAILED", /CD 92/],
  ["CD 93", hex("00 5d"), "AUTHENTICATION_FAILED", /CD 93/],
  ["CD 0", hex("00 00"), "GENERAL_FAILURE", /CD 0/],
  ["SOCKS5", hex("05 ff"), "PROTOCOL_ERROR", /server_type = 5\?/],
  ["an echo", join(hex("04 01 0050 0a0104fd"), ascii("eve")), "PROTOCOL_ERROR", /X'04(01)?': not/],
];

for (const [what, received, code, detail] of REFUSED) {
  test(`SOCKS4 client fails with ${code} when the server says ${what}`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const { end } = runClient(unwrap(createSocks4Client("4", NO_PASSWORD, V4)), chunks);
      assert(end?.kind === "failed");
      assert.equal(end.failure.code, code);
      assert.match(end.failure.detail, detail);
      assert.doesNotMatch(end.failure.detail, /eve/);
    }
  });
}

const IMPOSSIBLE: [string, "4" | "4a", Credentials, Destination, FailureCode][] = [
  ["a name in version 4", "4", NO_PASSWORD, nameOf("a.b", 80), "ADDRESS_TYPE_NOT_SUPPORTED"],
  ["IPv6", "4", NO_PASSWORD, addressOf("::1", 80), "ADDRESS_TYPE_NOT_SUPPORTED"],
  ["IPv6 in 4a", "4a", NO_PASSWORD, addressOf("::1", 80), "ADDRESS_TYPE_NOT_SUPPORTED"],
  ["0.0.0.5", "4", NO_PASSWORD, addressOf("0.0.0.5", 80), "ADDRESS_TYPE_NOT_SUPPORTED"],
  ["a long name", "4a", NO_PASSWORD, nameOf("x".repeat(256), 80), "NAME_TOO_LONG"],
  ["X'00' in a name", "4a", NO_PASSWORD, nameOf("a\0b", 80), "NAME_NOT_FOUND"],
  ["X'00' in a user", "4", new Credentials("a\0b", undefined), V4, "AUTHENTICATION_FAILED"],
  ["a long user", "4", new Credentials("ü".repeat(128), undefined), V4, "AUTHENTICATION_FAILED"],
];

for (const [what, type, credentials, destination, code] of IMPOSSIBLE) {
  test(`createSocks4Client() fails with ${code} when asked for ${what}`, () => {
    const machine = createSocks4Client(type, credentials, destination);
    assert("failure" in machine);
    assert.equal(machine.failure.code, code);
  });
}

test("SOCKS4 client throws when fed after its end", () => {
  const machine = unwrap(createSocks4Client("4", NO_PASSWORD, V4));
  machine.receive(GRANTED);
  assert.throws(() => machine.receive(hex("00")));
});

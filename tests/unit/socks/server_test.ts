import assert from "node:assert/strict";
import { test } from "node:test";
import { createServerMachine } from "../../../src/socks/server.ts";
import { ascii, byOctet, hex, OPEN, runServer } from "./feeding.ts";

const FACES: [string, Uint8Array, Uint8Array][] = [
  ["SOCKS5", hex("05 01 00 05 01 00 01 0a0104fd 0050"), hex("05 00 00 01 00000000 0000")],
  ["SOCKS4", hex("04 01 0050 0a0104fd 00"), hex("00 5a 0000 00000000")],
  [
    "HTTP",
    ascii("CONNECT 10.1.4.253:80 HTTP/1.1\r\n\r\n"),
    ascii("HTTP/1.1 200 Connection established\r\n\r\n"),
  ],
];

for (const [face, received, accepted] of FACES) {
  test(`createServerMachine() speaks ${face} when the first octet says so`, () => {
    for (const chunks of [[received], byOctet(received)]) {
      const machine = createServerMachine(OPEN);
      assert.deepEqual(machine.receive(new Uint8Array()), []);
      assert.equal(runServer(machine, chunks).end?.kind, "request");
      assert.deepEqual(machine.accept(), accepted);
    }
  });
}

test("createServerMachine() fails without an answer when the first octet is no protocol's", () => {
  for (const received of [hex("16 03 01"), hex("00"), ascii("secret"), ascii("\n"), hex("ff")]) {
    const { end } = runServer(createServerMachine(OPEN), [received]);
    assert(end?.kind === "failed");
    assert.equal(end.failure.code, "PROTOCOL_ERROR");
    assert.equal(end.bytes.length, 0);
    assert.doesNotMatch(end.failure.detail, /secret/);
  }
});

test("createServerMachine() has nothing to say before anything was received", () => {
  const machine = createServerMachine(OPEN);
  assert.equal(machine.accept().length, 0);
  assert.equal(machine.refuse({ code: "GENERAL_FAILURE", detail: "" }).length, 0);
});

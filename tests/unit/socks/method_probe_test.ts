import assert from "node:assert/strict";
import { test } from "node:test";
import { MethodProbe } from "../../../src/socks/method_probe.ts";
import { byOctet, hex, runClient, testHandshake } from "./feeding.ts";

testHandshake("MethodProbe of a method that is taken", {
  feed: (chunks) => runClient(new MethodProbe(2), chunks),
  received: hex("05 02"),
  sent: hex("05 01 02"),
  kind: "established",
});

const FAILURES: [string, string][] = [
  ["05 ff", "NO_ACCEPTABLE_METHODS"],
  ["05 00", "PROTOCOL_ERROR"],
  ["04", "PROTOCOL_ERROR"],
  ["48 54 54 50", "PROTOCOL_ERROR"],
];

for (const [received, code] of FAILURES) {
  test(`MethodProbe fails with ${code} for ${received}`, () => {
    for (const chunks of [[hex(received)], byOctet(hex(received))]) {
      const { end } = runClient(new MethodProbe(2), chunks);
      assert.equal(end?.kind === "failed" && end.failure.code, code);
    }
  });
}

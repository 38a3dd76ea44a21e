import assert from "node:assert/strict";
import test from "node:test";
import { formatSocketKind } from "../../../src/policy/sockets.ts";

const ROWS: [[number, number, number], string][] = [
  [[2, 3, 1], "socket(AF_INET,SOCK_RAW,ICMP)"],
  [[10, 3, 58], "socket(AF_INET6,SOCK_RAW,ICMPV6)"],
  [[2, 5, 132], "socket(AF_INET,SOCK_SEQPACKET,SCTP)"],
  [[17, 3, 768], "socket(AF_PACKET,SOCK_RAW,768)"],
  [[17, 2, 6], "socket(AF_PACKET,SOCK_DGRAM,6)"],
  [[99, 15, 0], "socket(99,15,0)"],
];

for (const [numbers, expected] of ROWS) {
  test(`formatSocketKind() prints ${numbers} as ${expected}`, () => {
    assert.equal(formatSocketKind(...numbers), expected);
  });
}

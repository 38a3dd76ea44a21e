import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeEndpoint,
  encodeEndpoint,
  endpointLength,
  type WireEndpoint,
} from "../../../src/socks/socks5_wire.ts";
import { addressOf, ascii, hex } from "./feeding.ts";

const ENDPOINTS: [string, WireEndpoint, Uint8Array][] = [
  ["IPv4", addressOf("10.1.4.253", 80) as WireEndpoint, hex("01 0a0104fd 0050")],
  [
    "IPv6",
    addressOf("2001:db8::1", 443) as WireEndpoint,
    hex("04 20010db8 00000000 00000000 00000001 01bb"),
  ],
  ["a name", { kind: "name", name: ascii("a.b"), port: 65535 }, hex("03 03 612e62 ffff")],
  ["an empty name", { kind: "name", name: ascii(""), port: 0 }, hex("03 00 0000")],
];

for (const [what, endpoint, octets] of ENDPOINTS) {
  test(`encodeEndpoint() draws ${what} as RFC 1928 §5, and decodeEndpoint() reads it`, () => {
    assert.deepEqual(encodeEndpoint(endpoint), octets);
    assert.deepEqual(decodeEndpoint(octets), endpoint);
    assert.equal(endpointLength(octets), octets.length);
  });
}

test("endpointLength() tells what is missing and what is unknown", () => {
  assert.equal(endpointLength(hex("")), "incomplete");
  assert.equal(endpointLength(hex("03")), "incomplete");
  assert.equal(endpointLength(hex("03 ff")), 1 + 1 + 255 + 2);
  for (const atyp of ["00", "02", "05", "ff"]) assert.equal(endpointLength(hex(atyp)), "unknown");
});

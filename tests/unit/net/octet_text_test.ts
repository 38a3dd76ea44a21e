import assert from "node:assert/strict";
import test from "node:test";
import { decodeAnyText, encodeText } from "../../../src/net/octet_text.ts";

const ROWS: [string, number[]][] = [
  ["hello.example", [...new TextEncoder().encode("hello.example")]],
  ["\u00fc\u{1f600}", [0xc3, 0xbc, 0xf0, 0x9f, 0x98, 0x80]],
  ["\udcfc.x", [0xfc, 0x2e, 0x78]],
  ["\udcc3\udcbc\udcff", [0xc3, 0xbc, 0xff]],
];
for (const [text, octets] of ROWS) {
  test(`decodeAnyText() and encodeText() agree on ${JSON.stringify(text)}`, () => {
    assert.equal(decodeAnyText(Uint8Array.from(octets)), text);
    assert.deepEqual([...encodeText(text)], octets);
  });
}

test("encodeText() gives any octets back", () => {
  for (let octet = 0; octet < 256; octet++) {
    const octets = Uint8Array.of(octet, 0xff, octet);
    assert.deepEqual(encodeText(decodeAnyText(octets)), octets);
  }
});

test("encodeText() makes U+FFFD of what stands for no octet", () => {
  assert.deepEqual([...encodeText("\ud800\udc00\ud800")], [
    0xf0,
    0x90,
    0x80,
    0x80,
    0xef,
    0xbf,
    0xbd,
  ]);
});

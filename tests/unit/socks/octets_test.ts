import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeBase64,
  decodeLatin1,
  decodeText,
  encodeBase64,
  encodeLatin1,
  encodeText,
  encodeUint16,
  OctetBuffer,
} from "../../../src/socks/octets.ts";
import { ascii, byOctet, hex, show } from "./feeding.ts";

test("decodeText() is undefined when the octets are not UTF-8", () => {
  assert.equal(decodeText(hex("c3 28")), undefined);
  assert.equal(decodeText(hex("ff")), undefined);
});

test("decodeText() keeps a byte order mark, which is part of a password", () => {
  assert.equal(decodeText(hex("ef bb bf 61")), "\ufeffa");
});

test("encodeText() gives UTF-8", () => {
  assert.deepEqual(encodeText("ü"), hex("c3 bc"));
});

test("decodeLatin1() loses no octet, and encodeLatin1() gives them back", () => {
  const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);
  assert.equal(decodeLatin1(all).charCodeAt(0x80), 0x80);
  assert.deepEqual(encodeLatin1(decodeLatin1(all)), all);
  assert.equal(decodeLatin1(ascii("xab").subarray(1)), "ab");
});

test("decodeBase64() is the strict inverse of encodeBase64()", () => {
  assert.equal(encodeBase64(ascii("bob:s3cret")), "Ym9iOnMzY3JldA==");
  assert.deepEqual(decodeBase64("Ym9iOnMzY3JldA=="), ascii("bob:s3cret"));
  for (const text of ["Ym9iOnMzY3JldA", "Ym9i OnMz", "Ym9iOnMzY3JldA==x", "_-", "\x80"]) {
    assert.equal(decodeBase64(text), undefined, text);
  }
});

test("encodeUint16() is in network order", () => {
  assert.deepEqual(encodeUint16(0x1234), hex("12 34"));
});

test("OctetBuffer gives back in order what was appended in pieces", () => {
  const buffer = new OctetBuffer();
  const text = "x".repeat(500) + "yz";
  for (const piece of byOctet(ascii(text))) buffer.append(piece);
  assert.equal(buffer.length, 502);
  assert.equal(show(buffer.take(500)), "x".repeat(500));
  assert.equal(show(buffer.view()), "yz");
  buffer.append(ascii("!"));
  assert.equal(show(buffer.take(10)), "yz!");
  assert.equal(buffer.takeAll().length, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChunkedFilter } from "../../../src/socks/http_chunked.ts";
import { ascii, byOctet, join, show } from "./feeding.ts";

const BEHIND = "GET /smuggled HTTP/1.1\r\n\r\n";

const WHOLE: [string, string][] = [
  ["no data", "0\r\n\r\n"],
  ["one chunk", "5\r\nhello\r\n0\r\n\r\n"],
  ["several chunks", "1\r\na\r\nA\r\n0123456789\r\n0f\r\n012345678901234\r\n000\r\n\r\n"],
  ["data that looks like an end", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"],
  ["extensions", '2;a=b;c="d e"\r\nhi\r\n0 ;last\r\n\r\n'],
  ["a trailer", "1\r\na\r\n0\r\nDigest: x\r\nOther: y\r\n\r\n"],
];

for (const [what, body] of WHOLE) {
  test(`ChunkedFilter passes ${what} and nothing behind`, () => {
    const octets = ascii(body + BEHIND);
    for (const chunks of [[octets], byOctet(octets), [ascii(body), ascii(BEHIND)]]) {
      const { passed, isOver } = feed(chunks);
      assert.equal(passed, body);
      assert(isOver);
    }
  });
  test(`ChunkedFilter waits when ${what} is cut short`, () => {
    for (let length = 0; length < body.length; length++) {
      const part = body.slice(0, length);
      assert.deepEqual(feed([ascii(part)]), { passed: part, isOver: false });
    }
  });
}

/** Body → the part of it that passes. */
const MALFORMED: [string, string, string][] = [
  ["no size", "\r\n0\r\n\r\n", "\r"],
  ["a size that is no number", "xyz\r\n", "xyz\r"],
  ["a size with a sign", "+5\r\nhello", "+5\r"],
  ["a size with 0x", "0x5\r\nhello", "0x5\r"],
  ["a size of 14 digits", "10000000000000\r\n", "10000000000000\r"],
  ["a bare LF behind the size", "5\nhello\r\n0\r\n\r\n", "5"],
  ["a bare LF in an extension", "5;a\n=b\r\nhello", "5;a"],
  ["a bare CR in the size", "5\rx\r\n", "5\r"],
  ["X'00' in an extension", "5;\0\r\nhello", "5;"],
  ["data longer than its size", "2\r\nhello\r\n0\r\n\r\n", "2\r\nhe"],
  ["no CR behind data", "2\r\nhe\n0\r\n\r\n", "2\r\nhe"],
  ["a bare LF at the end", "0\r\n\n", "0\r\n"],
];

for (const [what, body, part] of MALFORMED) {
  test(`ChunkedFilter stops at ${what}`, () => {
    for (const chunks of [[ascii(body)], byOctet(ascii(body))]) {
      assert.deepEqual(feed(chunks), { passed: part, isOver: true });
    }
  });
}

test("ChunkedFilter stops when a size line or the trailer is too long", () => {
  const endless = [`1;${"x".repeat(100_000)}`, `0\r\n${"A: b\r\n".repeat(100_000)}`];
  for (const body of endless) {
    const { passed, isOver } = feed([ascii(body)]);
    assert(isOver);
    assert(passed.length <= 16 * 1024 + 16);
  }
});

test("ChunkedFilter passes a large chunk without looking at it", () => {
  const data = new Uint8Array(10_000_000).fill(0x0a);
  const { isOver } = feed([join(ascii("989680\r\n")), data, ascii("\r\n0\r\n\r\n")]);
  assert(isOver);
});

function feed(chunks: Uint8Array[]): { passed: string; isOver: boolean } {
  const filter = new ChunkedFilter();
  let passed = "";
  let isOver = false;
  for (const chunk of chunks) {
    const result = filter.take(chunk);
    assert(!isOver || result.isOver && result.pass.length === 0);
    if (chunk.length < 1_000_000) passed += show(result.pass);
    else assert.equal(result.pass.length, chunk.length);
    isOver = result.isOver;
  }
  return { passed, isOver };
}

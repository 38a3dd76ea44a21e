import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeText } from "../../../src/net/printable.ts";

/** Text, most octets, printed. */
const ROWS: [string, number, string][] = [
  ["plain-text_1.0", 50, "plain-text_1.0"],
  ["", 50, ""],
  ["a b", 50, "a\\x20b"],
  ["\0\n\x1b", 50, "\\x00\\x0a\\x1b"],
  ["\\", 50, "\\x5c"],
  ["é", 50, "\\xc3\\xa9"],
  ["é", 1, "\\xc3"],
  ["\ud800", 50, "\\xef\\xbf\\xbd"],
  ["abcdef", 3, "abc"],
];

for (const [text, maxBytes, printed] of ROWS) {
  test(`escapeText() prints ${JSON.stringify(text)} in ${maxBytes} octets as ${printed}`, () => {
    assert.equal(escapeText(text, maxBytes), printed);
  });
}

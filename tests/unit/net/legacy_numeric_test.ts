import assert from "node:assert/strict";
import { test } from "node:test";
import { isLegacyNumeric, readLegacyNumeric } from "../../../src/net/legacy_numeric.ts";

/** Text → what inet_aton(3) reads. */
const NUMERIC: [string, string][] = [
  ["127.0.0.1", "127.0.0.1"],
  ["127.1", "127.0.0.1"],
  ["127.0.1", "127.0.0.1"],
  ["0x7f.1", "127.0.0.1"],
  ["0X7F000001", "127.0.0.1"],
  ["017700000001", "127.0.0.1"],
  ["2130706433", "127.0.0.1"],
  ["010.0.0.0", "8.0.0.0"],
  ["10.65535", "10.0.255.255"],
  ["1.2.65535", "1.2.255.255"],
  ["0", "0.0.0.0"],
  ["4294967295", "255.255.255.255"],
  ["0xffffffff", "255.255.255.255"],
];

const OTHER = [
  ..."|.|1.|.1|1..2|256.1|1.16777216|1.2.65536|1.2.3.256|1.2.3.4.5|4294967296|0x100000000".split(
    "|",
  ),
  ..."08|0x|0xg|1a|a|127.1 |-1|+1|1e3|host.example|::1".split("|"),
];

for (const [text, read] of NUMERIC) {
  test(`readLegacyNumeric() reads ${text} as ${read}`, () => {
    assert.equal(readLegacyNumeric(text)?.join("."), read);
    assert.ok(isLegacyNumeric(text));
  });
}

for (const text of OTHER) {
  test(`isLegacyNumeric() is false for ${JSON.stringify(text)}`, () => {
    assert.equal(isLegacyNumeric(text), false);
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fieldMembers,
  fieldValues,
  HeadReader,
  MAX_HEAD_OCTETS,
  parseHead,
} from "../../../src/socks/http_head.ts";
import { ascii, byOctet, show } from "./feeding.ts";

test("HeadReader finds the empty line wherever the pieces are cut", () => {
  const octets = ascii("A b\r\nC: d\r\n\r\nrest");
  for (let at = 0; at <= octets.length; at++) {
    const reader = new HeadReader();
    const results = [octets.subarray(0, at), octets.subarray(at)].map((part) => reader.read(part));
    const heads = results.filter((result) => typeof result === "object");
    assert.deepEqual(heads, [{ head: "A b\r\nC: d" }]);
    assert.equal(show(reader.takeRest()), "rest");
  }
});

test("HeadReader reads one head after another", () => {
  const reader = new HeadReader();
  assert.deepEqual(reader.read(ascii("A\r\n\r\nB\r\n\r\n")), { head: "A" });
  assert.deepEqual(reader.read(ascii("")), { head: "B" });
  assert.equal(reader.read(ascii("")), "incomplete");
});

test("HeadReader takes a head of exactly 64 KiB and no more", () => {
  const fitting = `A${"x".repeat(MAX_HEAD_OCTETS - 5)}\r\n\r\n`;
  assert.equal(typeof new HeadReader().read(ascii(fitting)), "object");
  assert.equal(new HeadReader().read(ascii(`x${fitting}`)), "too long");
  const reader = new HeadReader();
  const results = byOctet(ascii(`x${fitting}`)).map((octet) => reader.read(octet));
  assert.equal(results.indexOf("too long"), MAX_HEAD_OCTETS);
});

test("parseHead() cuts fields at the first colon and trims blanks", () => {
  assert.deepEqual(parseHead("A b\r\nC: \td: e \r\nF:"), {
    startLine: "A b",
    fields: [{ name: "C", value: "d: e" }, { name: "F", value: "" }],
  });
});

test("parseHead() is undefined when a line is malformed", () => {
  for (
    const line of ["C", "C : d", " C: d", "C\t: d", "C: \x01", "C: d\ne: f", "C: d\re", "\xfc: d"]
  ) {
    assert.equal(parseHead(`A b\r\n${line}`), undefined, JSON.stringify(line));
  }
  assert.equal(parseHead("A\0b"), undefined);
});

test("fieldValues() and fieldMembers() look at all lines of a name", () => {
  const fields = [
    { name: "Connection", value: "Close, ,X-A" },
    { name: "connection", value: " x-b " },
  ];
  assert.deepEqual(fieldValues(fields, "connection"), ["Close, ,X-A", " x-b "]);
  assert.deepEqual(fieldMembers(fields, "connection"), ["close", "x-a", "x-b"]);
});

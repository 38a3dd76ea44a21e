import assert from "node:assert/strict";
import test from "node:test";
import { formatIpAddress, parseIpAddress } from "../../../src/net/address.ts";
import { isReserved, ReservedNames } from "../../../src/policy/reserved_names.ts";

test("reserve() gives a name one address of each family, always the same", () => {
  const names = new ReservedNames();
  const first = names.reserve("hello.example");
  assert.equal(formatIpAddress(first.v4), "198.18.0.1");
  assert.equal(formatIpAddress(first.v6), "fd74:736f:636b:7300::1");
  assert.deepEqual(names.reserve("HELLO.example."), first);
  assert.equal(formatIpAddress(names.reserve("other.example").v4), "198.18.0.2");
  assert.equal(names.nameOf(first.v4), "hello.example");
  assert.equal(names.nameOf(first.v6), "hello.example");
});

test("reserve() gives the address of the name that was unused for longest when the table is full", () => {
  const names = new ReservedNames(3);
  const [a, b] = ["a", "b", "c"].map((name) => names.reserve(name).v4);
  assert.equal(names.nameOf(a!), "a"); // used: now b is the oldest
  const d = names.reserve("d").v4;
  assert.deepEqual(d, b);
  assert.equal(names.nameOf(d), "d");
  assert.equal(names.nameOf(a!), "a");
});

test("reserve() stays in 198.18.0.0/15 to its last address", () => {
  const names = new ReservedNames();
  let last = names.reserve("n0").v4;
  for (let i = 1; i < 2 ** 17 - 2; i++) last = names.reserve(`n${i}`).v4;
  assert.equal(formatIpAddress(last), "198.19.255.254");
  assert.equal(formatIpAddress(names.reserve("one more").v4), "198.18.0.1");
});

for (
  const [text, expected] of [
    ["198.17.255.255", false],
    ["198.18.0.0", true],
    ["198.19.255.255", true],
    ["198.20.0.0", false],
    ["fd74:736f:636b:7300::5", true],
    ["fd74:736f:636b:7300:1::5", false],
    ["fd74:736f:636b:7301::5", false],
  ] as const
) {
  test(`isReserved() is ${expected} for ${text}`, () => {
    assert.equal(isReserved(parseIpAddress(text)!), expected);
  });
}

test("nameOf() knows nothing of an address that was not handed out", () => {
  assert.equal(new ReservedNames().nameOf(parseIpAddress("198.18.7.7")!), undefined);
  assert.equal(new ReservedNames().nameOf(parseIpAddress("192.0.2.1")!), undefined);
});

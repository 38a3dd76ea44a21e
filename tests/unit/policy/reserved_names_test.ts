import assert from "node:assert/strict";
import test from "node:test";
import { formatIpAddress, parseIpAddress } from "../../../src/net/address.ts";
import { isReserved, ReservedNames } from "../../../src/policy/reserved_names.ts";

const TEN_MINUTES_MS = 600_000;

test("reserve() gives a name one address of each family, always the same", () => {
  const names = new ReservedNames();
  const first = names.reserve("hello.example", 0)!;
  assert.equal(formatIpAddress(first.v4), "198.18.0.1");
  assert.equal(formatIpAddress(first.v6), "fd74:736f:636b:7300::1");
  assert.deepEqual(names.reserve("hello.example", 0), first);
  assert.equal(formatIpAddress(names.reserve("other.example", 0)!.v4), "198.18.0.2");
  assert.equal(names.nameOf(first.v4, 0), "hello.example");
  assert.equal(names.nameOf(first.v6, 0), "hello.example");
});

test("reserve() gives the address of the name that was unused for longest when the table is full", () => {
  const names = new ReservedNames(3);
  const [a, b] = ["a", "b", "c"].map((name) => names.reserve(name, 0)!.v4);
  assert.equal(names.nameOf(a!, 1), "a"); // used: now b is the oldest
  const d = names.reserve("d", TEN_MINUTES_MS)!.v4;
  assert.deepEqual(d, b);
  assert.equal(names.nameOf(d, TEN_MINUTES_MS), "d");
  assert.equal(names.nameOf(a!, TEN_MINUTES_MS), "a");
});

test("reserve() gives no address of a name that was used within ten minutes", () => {
  const names = new ReservedNames(2);
  names.reserve("a", 0);
  const b = names.reserve("b", 1)!.v4;
  assert.equal(names.reserve("c", TEN_MINUTES_MS - 1), undefined);
  assert.equal(names.nameOf(b, TEN_MINUTES_MS - 1), "b");
});

test("reserve() keeps each spelling, as the server is to get it", () => {
  const names = new ReservedNames();
  for (const name of ["hello.example", "Hello.example", "hello.example.", "."]) {
    assert.equal(names.nameOf(names.reserve(name, 0)!.v4, 0), name);
  }
});

test("reserve() gives no address of a name that a connection is open to, however long", () => {
  const names = new ReservedNames(2);
  const a = names.reserve("a", 0)!.v4;
  const letGo = [names.hold("a", () => 0), names.hold("a", () => 2 * TEN_MINUTES_MS)];
  names.reserve("b", 0);
  names.reserve("c", TEN_MINUTES_MS); // in b's place
  assert.equal(names.nameOf(a, TEN_MINUTES_MS), "a");
  assert.equal(names.reserve("d", 2 * TEN_MINUTES_MS - 1), undefined);
  letGo[0]!();
  names.reserve("d", 2 * TEN_MINUTES_MS); // in c's place: another connection is open
  letGo[1]!();
  names.reserve("d", 2 * TEN_MINUTES_MS); // now a is the oldest
  assert.equal(names.reserve("e", 2 * TEN_MINUTES_MS), undefined);
  assert.deepEqual(names.reserve("e", 3 * TEN_MINUTES_MS)!.v4, a);
  assert.equal(names.nameOf(a, 3 * TEN_MINUTES_MS), "e");
});

test("hold() of a name without an address is nothing", () => {
  new ReservedNames().hold("never asked for", () => 0)();
});

test("reserve() stays in 198.18.0.0/15 to its last address", () => {
  const names = new ReservedNames();
  let last = names.reserve("n0", 0)!.v4;
  for (let i = 1; i < 2 ** 17 - 2; i++) last = names.reserve(`n${i}`, 0)!.v4;
  assert.equal(formatIpAddress(last), "198.19.255.254");
  assert.equal(formatIpAddress(names.reserve("one more", TEN_MINUTES_MS)!.v4), "198.18.0.1");
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
  assert.equal(new ReservedNames().nameOf(parseIpAddress("198.18.7.7")!, 0), undefined);
  assert.equal(new ReservedNames().nameOf(parseIpAddress("192.0.2.1")!, 0), undefined);
});

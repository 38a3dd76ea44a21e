import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressFromBytes,
  formatDestination,
  formatEndpoint,
  formatIpAddress,
  isLoopback,
  isUnspecified,
  parseIpAddress,
} from "../../../src/net/address.ts";

/** Text → RFC 5952 text. */
const VALID: [string, string][] = [
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["10.1.4.253", "10.1.4.253"],
  ["::", "::"],
  ["::1", "::1"],
  ["2001:DB8::", "2001:db8::"],
  ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["fe80::0:1", "fe80::1"],
  ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
  ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
  ["::1.2.3.4", "::102:304"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:10.0.0.1", "10.0.0.1"],
];

const INVALID = [
  ..."|1.2.3|1.2.3.4.5|1..2.3|1.2.3.|.1.2.3|256.0.0.1|01.2.3.4|1.2.3.04|0x1.2.3.4|127.1|1".split(
    "|",
  ),
  ..." 1.2.3.4|1.2.3.4 |1.2.3.4\n|+1.2.3.4|1.2.3.-4|1e1.2.3.4|١.2.3.4|1.2.3.4/8|1.2.3.4:80".split(
    "|",
  ),
  ...":|:::|::::|1::2::3|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1:2:3:4:5:6:7:8::|::1:2:3:4:5:6:7:8".split(
    "|",
  ),
  ...":1:2:3:4:5:6:7|1:2:3:4:5:6:7:|12345::|g::|fe80::1%eth0|[::1]|::1.2.3|::01.2.3.4".split("|"),
  ..."1.2.3.4::|::1.2.3.4:1|1:2:3:4:5:6:7:1.2.3.4|:: |0x1::|::1/128".split("|"),
];

for (const [text, formatted] of VALID) {
  test(`parseIpAddress() reads ${text} as ${formatted}`, () => {
    const address = parseIpAddress(text);
    assert.ok(address);
    assert.equal(formatIpAddress(address), formatted);
    assert.equal(address.bytes.length, address.version === 4 ? 4 : 16);
    assert.deepEqual(parseIpAddress(formatted), address);
  });
}

for (const text of INVALID) {
  test(`parseIpAddress() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseIpAddress(text), undefined);
  });
}

test("addressFromBytes() copies its octets", () => {
  const bytes = Uint8Array.of(10, 0, 0, 1);
  const address = addressFromBytes(bytes);
  bytes[0] = 11;
  assert.equal(formatIpAddress(address), "10.0.0.1");
});

test("addressFromBytes() normalises v4-mapped, and only that", () => {
  const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1);
  assert.deepEqual(addressFromBytes(mapped), parseIpAddress("10.0.0.1"));
  mapped[0] = 1;
  assert.equal(addressFromBytes(mapped).version, 6);
});

test("addressFromBytes() reads a view into a larger buffer", () => {
  const packet = Uint8Array.of(9, 9, ...parseIpAddress("2001:db8::1")!.bytes, 9);
  assert.equal(formatIpAddress(addressFromBytes(packet.subarray(2, 18))), "2001:db8::1");
});

test("addressFromBytes() throws when the length is neither 4 nor 16", () => {
  for (const length of [0, 3, 5, 15, 17]) {
    assert.throws(() => addressFromBytes(new Uint8Array(length)), RangeError);
  }
});

/** Address, is it loopback, is it unspecified. */
const KINDS: [string, boolean, boolean][] = [
  ["127.0.0.1", true, false],
  ["127.255.255.255", true, false],
  ["128.0.0.1", false, false],
  ["::1", true, false],
  ["::ffff:127.0.0.1", true, false],
  ["::2", false, false],
  ["1::1", false, false],
  ["0.0.0.0", false, true],
  ["::", false, true],
  ["0.0.0.1", false, false],
];

for (const [text, loopback, unspecified] of KINDS) {
  test(`isLoopback() and isUnspecified() know ${text}`, () => {
    const address = parseIpAddress(text)!;
    assert.equal(isLoopback(address), loopback);
    assert.equal(isUnspecified(address), unspecified);
  });
}

test("formatEndpoint() puts IPv6 in brackets", () => {
  assert.equal(formatEndpoint("::1", 80), "[::1]:80");
  assert.equal(formatEndpoint("10.0.0.1", 80), "10.0.0.1:80");
  assert.equal(formatEndpoint("host.example", 0), "host.example:0");
});

/** Name → printed. */
const NAMES: [string, string][] = [
  ["host.example", "host.example:80"],
  ["a b\tc", "a\\x20b\\x09c:80"],
  ["\x1b[2J\r\n", "\\x1b[2J\\x0d\\x0a:80"],
  ["bücher", "b\\xc3\\xbccher:80"],
  ["a\\x20b", "a\\x5cx20b:80"],
  ["\x7f\x80", "\\x7f\\xc2\\x80:80"],
  ["x".repeat(300), `${"x".repeat(255)}:80`],
  ["ü".repeat(300), `${"\\xc3\\xbc".repeat(127)}\\xc3:80`],
];

for (const [name, printed] of NAMES) {
  test(`formatDestination() prints the name ${JSON.stringify(name).slice(0, 20)} safely`, () => {
    assert.equal(formatDestination({ kind: "name", name, port: 80 }), printed);
  });
}

test("formatDestination() prints addresses", () => {
  const address = parseIpAddress("2001:db8::1")!;
  assert.equal(formatDestination({ kind: "address", address, port: 443 }), "[2001:db8::1]:443");
});

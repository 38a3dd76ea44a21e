import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIpAddress } from "../../../src/net/address.ts";
import { formatSubnet, parseSubnet, subnetContains } from "../../../src/net/subnet.ts";

/** Text → canonical text. */
const VALID: [string, string][] = [
  ["10.0.0.0/255.0.0.0", "10.0.0.0/8"],
  ["192.168.0.0/255.255.255.0", "192.168.0.0/24"],
  ["10.1.4.252/255.255.255.252", "10.1.4.252/30"],
  ["0.0.0.0/0.0.0.0", "0.0.0.0/0"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["10.1.2.3/255.255.255.255", "10.1.2.3/32"],
  ["10.0.0.0/8", "10.0.0.0/8"],
  ["10.1.2.3/32", "10.1.2.3/32"],
  ["10.1.2.3", "10.1.2.3/32"],
  ["2001:DB8::/32", "2001:db8::/32"],
  ["::/0", "::/0"],
  ["::1", "::1/128"],
  ["2001:db8::/33", "2001:db8::/33"],
  ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
  ["::ffff:10.1.2.3", "10.1.2.3/32"],
];

/** Text, what the message says, what the fix says. */
const INVALID: [string, RegExp, RegExp][] = [
  ["10.0.0.1/255.0.0.0", /bits outside its mask/, /10\.0\.0\.0\/8 .* 10\.0\.0\.1 for the one host/],
  ["10.0.0.1/8", /bits outside its mask/, /10\.0\.0\.0\/8/],
  ["2001:db8::1/32", /bits outside its mask/, /2001:db8::\/32/],
  ["10.0.0.0/255.0.255.0", /Mask with a hole/, /ones and then zeros/],
  ["10.0.0.0/0.255.255.255", /Mask with a hole/, /ones and then zeros/],
  ["10.0.0.0/33", /Invalid network mask/, /10\.0\.0\.0\/8/],
  ["10.0.0.0/08", /Invalid network mask/, /IP\/BITS/],
  ["10.0.0.0/", /Invalid network mask/, /IP\/MASK/],
  ["10.0.0.0/-8", /Invalid network mask/, /IP\/MASK/],
  ["10.0.0.0/8/8", /Invalid network mask/, /IP\/MASK/],
  ["10.0.0.0/255.0.0", /Invalid network mask/, /IP\/MASK/],
  ["10.0.0.0/::ffff:255.0.0.0", /Invalid network mask/, /IP\/MASK/],
  ["2001:db8::/129", /Invalid network mask/, /2001:db8::\/32/],
  ["2001:db8::/255.0.0.0", /Invalid network mask/, /IP\/BITS/],
  ["::ffff:10.0.0.0/95", /Invalid network mask/, /IP\/BITS/],
  ["::ffff:10.0.0.0/255.0.0.0", /Invalid network mask/, /IP\/BITS/],
  ["010.0.0.0/255.0.0.0", /Invalid IP address/, /reads it as 8\.0\.0\.0$/],
  ["10/255.0.0.0", /Invalid IP address/, /reads it as 0\.0\.0\.10$/],
  ["host.example/8", /Invalid IP address/, /IP\/MASK/],
  ["", /Invalid IP address/, /IP\/MASK/],
  ["fe80::%eth0/64", /Invalid IP address/, /IP\/MASK/],
];

for (const [text, canonical] of VALID) {
  test(`parseSubnet() reads ${text} as ${canonical}`, () => {
    const result = parseSubnet(text);
    assert.ok(result.ok);
    assert.equal(formatSubnet(result.subnet), canonical);
  });
}

for (const [text, message, fix] of INVALID) {
  test(`parseSubnet() refuses ${JSON.stringify(text)}`, () => {
    const result = parseSubnet(text);
    assert.ok(!result.ok);
    assert.match(result.message, message);
    assert.match(result.fix, fix);
  });
}

/** Network, address, is it inside. */
const CONTAINS: [string, string, boolean][] = [
  ["10.0.0.0/8", "10.255.255.255", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.1.4.252/30", "10.1.4.255", true],
  ["10.1.4.252/30", "10.1.4.251", false],
  ["128.0.0.0/1", "255.255.255.255", true],
  ["128.0.0.0/1", "127.255.255.255", false],
  ["0.0.0.0/0", "255.255.255.255", true],
  ["0.0.0.0/0", "::1", false],
  ["::/0", "1.2.3.4", false],
  ["::/0", "2001:db8::1", true],
  ["10.1.2.3", "10.1.2.3", true],
  ["10.1.2.3", "10.1.2.2", false],
  ["10.0.0.0/8", "::ffff:10.1.1.1", true],
  ["2001:db8::/33", "2001:db8:7fff::1", true],
  ["2001:db8::/33", "2001:db8:8000::1", false],
];

for (const [network, text, isInside] of CONTAINS) {
  test(`subnetContains() has ${text} ${isInside ? "inside" : "outside"} ${network}`, () => {
    const result = parseSubnet(network);
    assert.ok(result.ok);
    assert.equal(subnetContains(result.subnet, parseIpAddress(text)!), isInside);
  });
}

/** resolv.conf(5). */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNameservers } from "../../../src/dns/resolv_conf.ts";
import { formatIpAddress } from "../../../src/net/address.ts";

const ROWS: [string, string, string[]][] = [
  ["none", "search lan\n", ["127.0.0.1"]],
  ["several", "nameserver 192.0.2.1\nnameserver\t::1\n", ["192.0.2.1", "::1"]],
  ["a zone and comments", "#nameserver 1.1.1.1\nnameserver fe80::1%eth0 # router\n", ["fe80::1"]],
  ["rubbish", "nameserver name\nnameserver 010.1.1.1\n nameserver 1.1.1.1\n", ["127.0.0.1"]],
];
for (const [what, text, expected] of ROWS) {
  test(`parseNameservers() reads ${what}`, () => {
    assert.deepEqual(parseNameservers(text).map(formatIpAddress), expected);
  });
}

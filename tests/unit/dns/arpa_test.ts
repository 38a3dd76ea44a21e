/** Names of addresses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOfArpa } from "../../../src/dns/arpa.ts";
import { formatIpAddress } from "../../../src/net/address.ts";

const ULA = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.7.b.6.3.6.F.6.3.7.4.7.d.f.ip6.arpa";

const ROWS: [string, string | undefined][] = [
  ["1.0.18.198.in-addr.arpa", "198.18.0.1"],
  ["1.0.18.198.IN-ADDR.arpa.", "198.18.0.1"],
  [ULA, "fd74:736f:636b:7300::1"],
  ["0.18.198.in-addr.arpa", undefined],
  ["256.0.18.198.in-addr.arpa", undefined],
  ["01.0.18.198.in-addr.arpa", undefined],
  ["x.1.0.18.198.in-addr.arpa", undefined],
  ["0." + ULA, undefined],
  ["hello.example", undefined],
];
for (const [name, address] of ROWS) {
  test(`addressOfArpa() of ${name} is ${address}`, () => {
    const found = addressOfArpa(name);
    assert.equal(found && formatIpAddress(found), address);
  });
}

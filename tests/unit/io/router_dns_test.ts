/** Which destinations are answered in a name server's place. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { Router } from "../../../src/io/router.ts";
import { parseIpAddress } from "../../../src/net/address.ts";
import { parseHosts } from "../../../src/policy/names.ts";
import { ReservedNames } from "../../../src/policy/reserved_names.ts";

const V5 = "server = 10.0.0.1\nserver_type = 5\n";
const LAN = V5 + "local = 192.168.0.0/16\n";

/** Configuration, resolv.conf's name servers, destination, whether it is answered. */
const ROWS: [string, string[], string, number, boolean][] = [
  [V5, ["127.0.0.53"], "8.8.8.8", 53, true],
  [V5, ["127.0.0.53"], "8.8.8.8", 54, false],
  [V5, ["127.0.0.53"], "2001:db8::1", 53, true],
  [V5, ["127.0.0.53"], "198.18.0.1", 53, true],
  [V5, ["127.0.0.53"], "127.0.0.53", 53, true],
  [V5, ["127.0.0.53"], "127.0.0.54", 53, false],
  [V5, ["127.0.0.53"], "::1", 53, false],
  [V5, ["::1"], "::1", 53, true],
  [V5, ["127.0.0.53"], "0.0.0.0", 53, true],
  [V5, ["0.0.0.0"], "::", 53, true],
  [V5, ["192.168.1.1"], "0.0.0.0", 53, false],
  [LAN, ["192.168.1.1"], "192.168.1.1", 53, true],
  [LAN, ["192.168.1.1"], "192.168.1.2", 53, false],
  // Where no server takes names they are libc's, and nothing is given away.
  ["server = 10.0.0.1\n", ["127.0.0.53"], "127.0.0.53", 53, false],
  ["server = 10.0.0.1\n", ["127.0.0.53"], "8.8.8.8", 53, true],
  [V5 + "udp = direct\n", ["127.0.0.53"], "8.8.8.8", 53, true],
  [V5 + "dns = tcp\n", ["127.0.0.53"], "8.8.8.8", 53, true],
  [V5 + "dns = local\n", ["127.0.0.53"], "127.0.0.53", 53, false],
  [V5 + "dns = local\n", ["127.0.0.53"], "8.8.8.8", 53, false],
];
for (const [conf, nameservers, to, port, isAnswered] of ROWS) {
  test(`answersDns() is ${isAnswered} of ${to}:${port} when ${JSON.stringify(conf)} and ${nameservers}`, () => {
    const router = new Router({
      config: parseTsocksConf(conf, "t.conf").config,
      names: new ReservedNames(),
      hosts: () => parseHosts(""),
      lookup: () => Promise.resolve([]),
      lookupByTcp: () => Promise.resolve(undefined),
      nameservers: () => nameservers.map((text) => parseIpAddress(text)!),
      maps: new Map(),
    });
    const address = parseIpAddress(to)!;
    assert.equal(router.answersDns({ kind: "address", address, port }), isAnswered);
  });
}

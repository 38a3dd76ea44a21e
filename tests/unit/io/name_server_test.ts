/** What the name server answers; to hostile questions too: each is answered, or ignored, and no promise rejects. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import {
  buildQuery,
  isResponseTo,
  RCODE_NOERROR,
  RCODE_NXDOMAIN,
  RCODE_SERVFAIL,
  readQuery,
  TYPE_A,
} from "../../../src/dns/message.ts";
import type { DnsUpstream } from "../../../src/io/dns_upstream.ts";
import { DecisionLog, UNKNOWN_ASKER } from "../../../src/io/log.ts";
import { NameServer } from "../../../src/io/name_server.ts";
import { type Lookup, Router } from "../../../src/io/router.ts";
import { type IpAddress, parseIpAddress } from "../../../src/net/address.ts";
import { parseHosts } from "../../../src/policy/names.ts";
import { ReservedNames } from "../../../src/policy/reserved_names.ts";
import { createRandom } from "../../helpers/random.ts";
import { mangle, QUERIES } from "../dns/mangling.ts";

const ROUNDS = 50_000;

/** A run with one server that takes names, and `*.lan` this machine's own. */
function startNameServer(lookup: Lookup, capacity = 100): NameServer {
  const conf = "server = 10.0.0.1\nserver_type = 5\nlocal_name = *.lan\n";
  const router = new Router({
    config: parseTsocksConf(conf, "t.conf").config,
    names: new ReservedNames(capacity),
    hosts: () => parseHosts("192.0.2.7 near.example\n"),
    lookup,
    lookupByTcp: () => Promise.resolve(undefined),
    nameservers: () => [],
    maps: new Map(),
  });
  return new NameServer({
    router,
    upstream: { server: undefined } as unknown as DnsUpstream,
    lookup,
    reverse: () => Promise.resolve(undefined),
    log: new DecisionLog({ level: -1, format: "text", fd: 2 }),
  });
}

const ADDRESS = parseIpAddress("192.0.2.1")!;
const RCODES: [what: string, name: string, found: IpAddress[] | undefined, rcode: number][] = [
  ["a name of the server's", "hello.example", undefined, RCODE_NOERROR],
  ["a name that no libc asks for", "-x.example", undefined, RCODE_NXDOMAIN],
  ["a number that is no address", "1.2.3.400", undefined, RCODE_NXDOMAIN],
  ["a local name", "nas.lan", [ADDRESS], RCODE_NOERROR],
  ["a local name that there is not", "none.lan", [], RCODE_NXDOMAIN],
  ["a local name while its name server is out of reach", "nas.lan", undefined, RCODE_SERVFAIL],
];
for (const [what, name, found, rcode] of RCODES) {
  test(`${what} is answered with rcode ${rcode}`, async () => {
    const nameServer = startNameServer(() => Promise.resolve(found));
    const response = await nameServer.answer(buildQuery(1, name, TYPE_A)!, UNKNOWN_ASKER);
    assert.equal(response![3]! & 15, rcode);
  });
}

test("a name for which the table has no room is SERVFAIL", async () => {
  const nameServer = startNameServer(() => Promise.resolve([]), 1);
  const ask = async (name: string) =>
    (await nameServer.answer(buildQuery(1, name, TYPE_A)!, UNKNOWN_ASKER))![3]! & 15;
  assert.deepEqual([await ask("a.example"), await ask("b.example")], [
    RCODE_NOERROR,
    RCODE_SERVFAIL,
  ]);
});

test(`${ROUNDS} hostile questions are answered with their question, or ignored`, async () => {
  const nameServer = startNameServer(() => Promise.resolve([]));
  const random = createRandom(55);
  const rcodes = new Map<number, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const message = mangle(random, QUERIES[round % QUERIES.length]!);
    const response = await nameServer.answerDatagram(message, UNKNOWN_ASKER);
    const read = readQuery(message);
    assert.equal(response === undefined, read.kind === "ignored");
    if (response === undefined) continue;
    assert.ok(response.length <= 512);
    if (read.kind === "query") assert.ok(isResponseTo(read.query, response));
    const rcode = response[3]! & 15;
    rcodes.set(rcode, (rcodes.get(rcode) ?? 0) + 1);
  }
  // SERVFAIL: the table is full of names in use
  assert.deepEqual([...rcodes.keys()].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5]);
});

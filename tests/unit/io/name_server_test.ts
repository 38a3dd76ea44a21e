/** The name server against hostile questions: each is answered, or ignored, and no promise rejects. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";
import { isResponseTo, readQuery } from "../../../src/dns/message.ts";
import type { DnsUpstream } from "../../../src/io/dns_upstream.ts";
import { DecisionLog, UNKNOWN_ASKER } from "../../../src/io/log.ts";
import { NameServer } from "../../../src/io/name_server.ts";
import { Router } from "../../../src/io/router.ts";
import { parseHosts } from "../../../src/policy/names.ts";
import { ReservedNames } from "../../../src/policy/reserved_names.ts";
import { createRandom, mangle, QUERIES } from "../dns/mangling.ts";

const ROUNDS = 50_000;

test(`${ROUNDS} hostile questions are answered with their question, or ignored`, async () => {
  const router = new Router({
    config: parseTsocksConf("server = 10.0.0.1\nserver_type = 5\n", "t.conf").config,
    names: new ReservedNames(100),
    hosts: () => parseHosts(""),
    lookup: () => Promise.resolve([]),
    lookupByTcp: () => Promise.resolve(undefined),
    nameservers: () => [],
    maps: new Map(),
  });
  const nameServer = new NameServer({
    router,
    upstream: { server: undefined } as unknown as DnsUpstream,
    lookup: () => Promise.resolve([]),
    reverse: () => Promise.resolve(undefined),
    log: new DecisionLog({ level: -1, format: "text", fd: 2 }),
  });
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

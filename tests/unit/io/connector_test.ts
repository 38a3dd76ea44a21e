import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import test from "node:test";
import { emptyConfig } from "../../../src/config/empty_config.ts";
import { Connector } from "../../../src/io/connector.ts";
import { DecisionLog } from "../../../src/io/log.ts";
import { Router } from "../../../src/io/router.ts";
import { parseHosts } from "../../../src/policy/names.ts";
import { ReservedNames } from "../../../src/policy/reserved_names.ts";

const HOUR_MS = 3_600_000;

/** The two ends of a connection, both paused. */
async function makePair(): Promise<[Socket, Socket]> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const near = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const [far] = await once(listener, "connection") as [Socket];
  listener.close();
  return [near.pause(), far];
}

test("carry() keeps the address of the name that it relays to, until the end", async () => {
  const names = new ReservedNames(1);
  const log = new DecisionLog({ level: -1, format: "text", fd: 2 });
  const options = { config: emptyConfig(), names, hosts: () => parseHosts(""), maps: new Map() };
  const lookup = () => Promise.resolve([]);
  const router = new Router({ ...options, lookup, lookupByTcp: lookup, nameservers: () => [] });
  const answerDns = () => assert.fail("no DNS here");
  const limits = { timeoutMs: 1000, maxConnections: 10 };
  const connector = new Connector({ router, log, answerDns, ...limits });
  const { v4 } = names.reserve("hello.example", 0)!;
  const asked = { kind: "name" as const, name: "hello.example", port: 80 };
  const attempt = await connector.decide(asked, { pid: 1, comm: "test" });

  const [ownProgram, program] = await makePair();
  const [destination, ownDestination] = await makePair();
  const nothing = new Uint8Array();
  const ends = { program, destination, fromProgram: nothing, fromDestination: nothing };
  const carried = connector.carry(attempt, { ...ends, filter: undefined });
  assert.equal(names.reserve("other.example", HOUR_MS), undefined);
  for (const own of [ownProgram, ownDestination]) own.resume().end();
  await carried;
  assert.deepEqual(names.reserve("other.example", 2 * HOUR_MS)?.v4, v4);
});

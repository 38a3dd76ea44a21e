/** Look-ups of addresses by a DNS server, over TCP: what one that answers oddly, or late, comes to. */

import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { emptyConfig } from "../../../src/config/empty_config.ts";
import {
  buildResponse,
  type Query,
  RCODE_NXDOMAIN,
  RCODE_SERVFAIL,
  readQuery,
  TYPE_A,
  TYPE_AAAA,
} from "../../../src/dns/message.ts";
import type { Connector } from "../../../src/io/connector.ts";
import { DnsUpstream, lengthened } from "../../../src/io/dns_upstream.ts";
import { formatIpAddress, parseIpAddress } from "../../../src/net/address.ts";

const V4 = "192.0.2.1";
const V6 = "2001:db8::1";

/** What the server says of A and of AAAA: an address, nothing, a failure, or not a word. */
type Word = "address" | "none" | "no name" | "failure" | "silence";

function answerTo(query: Query, word: Word): Uint8Array | undefined {
  const { type } = query.question;
  const { bytes: data } = parseIpAddress(type === TYPE_A ? V4 : V6)!;
  switch (word) {
    case "address":
      return buildResponse(query, { records: [{ type, data }] });
    case "none":
      return buildResponse(query, {});
    case "no name":
      return buildResponse(query, { rcode: RCODE_NXDOMAIN });
    case "failure":
      return buildResponse(query, { rcode: RCODE_SERVFAIL });
    case "silence":
      return undefined;
  }
}

/** An upstream whose server answers each query after a turn of the event loop. */
async function startUpstream(words: Partial<Record<number, Word>>, timeoutMs: number) {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      const read = readQuery(chunk.subarray(2));
      assert.equal(read.kind, "query");
      if (read.kind !== "query") return;
      const answer = answerTo(read.query, words[read.query.question.type] ?? "no name");
      if (answer !== undefined) setImmediate(() => socket.write(lengthened(answer)));
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  const rest = new Uint8Array();
  const dial = () => Promise.resolve({ ok: true, socket: connect(port, "127.0.0.1"), rest });
  const connector = { decide: () => Promise.resolve(), dial } as unknown as Connector;
  const server = { address: parseIpAddress("192.0.2.53")!, port: 53 };
  const config = { ...emptyConfig(), dnsServer: { ...server, place: undefined } };
  const upstream = new DnsUpstream({
    config: config as unknown as ReturnType<typeof emptyConfig>,
    nameservers: () => [],
    connector,
    timeoutMs,
  });
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => listener.close(done));
  };
  return { upstream, [Symbol.asyncDispose]: close };
}

const LONG_MS = 60_000;
const SHORT_MS = 200;
const ROWS: [a: Word, aaaa: Word, family: 0 | 4 | 6, found: string[] | undefined][] = [
  ["address", "address", 0, [V4]],
  ["address", "none", 0, [V4]],
  ["none", "address", 0, [V6]],
  ["none", "none", 0, []],
  ["no name", "no name", 0, []],
  // It is not known that there is none.
  ["failure", "none", 0, undefined],
  ["none", "failure", 0, undefined],
  ["failure", "failure", 0, undefined],
  ["failure", "address", 0, [V6]],
  ["failure", "address", 4, undefined],
  ["address", "failure", 6, undefined],
  ["address", "failure", 4, [V4]],
  // Of one family the other is not waited for, nor of both IPv6 where there is IPv4.
  ["address", "silence", 4, [V4]],
  ["address", "silence", 0, [V4]],
  ["silence", "address", 6, [V6]],
];
for (const [a, aaaa, family, expected] of ROWS) {
  test(`lookup() in family ${family} where A is ${a} and AAAA is ${aaaa}`, async () => {
    await using server = await startUpstream({ [TYPE_A]: a, [TYPE_AAAA]: aaaa }, LONG_MS);
    const found = await server.upstream.lookup("hello.example", family);
    assert.deepEqual(found?.map(formatIpAddress), expected);
  });
}

test("a thousand look-ups at once are all answered, and end in time where the server is silent", async () => {
  const ask = async (word: Word, timeoutMs: number) => {
    await using server = await startUpstream({ [TYPE_A]: word, [TYPE_AAAA]: "silence" }, timeoutMs);
    const names = Array.from({ length: 1000 }, (_, at) => `n${at}.example`);
    const all = await Promise.all(names.map((name) => server.upstream.lookup(name, 0)));
    return new Set(all.map((found) => found?.map(formatIpAddress).join()));
  };
  assert.deepEqual([...await ask("address", LONG_MS)], [V4]);
  assert.deepEqual([...await ask("silence", SHORT_MS)], [undefined]);
});

/**
 * Mangled queries and answers, seeded, the same on every run: none crashes, hangs or grows. A million
 * of each with TSOCKS_FUZZ_ROUNDS=1000000, which takes half a minute.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  buildResponse,
  fitDatagram,
  isResponseTo,
  type Query,
  readAddresses,
  readQuery,
} from "../../../src/dns/message.ts";
import { addressOfArpa } from "../../../src/dns/arpa.ts";

const ROUNDS = Number(process.env["TSOCKS_FUZZ_ROUNDS"] ?? 200_000);
const RECORDS = [{ type: 1, data: new Uint8Array(4) }, { type: 28, data: new Uint8Array(16) }];

/** mulberry32 */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const octets = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const HEADER = "\x12\x34\x01\0\0\x01\0\0\0\0\0";
const QUESTION = "\x05hello\x07example\0\0\x01\0\x01";
const SEEDS = [
  octets(`${HEADER}\0${QUESTION}`),
  octets(`${HEADER}\x01${QUESTION}\0\0\x29\x10\0\0\0\x80\0\0\0`),
  octets(`${HEADER}\0\x011\x010\x0218\x03198\x07in-addr\x04arpa\0\0\x0c\0\x01`),
  octets(`${HEADER}\0${"\x3f".padEnd(64, "a").repeat(3)}\x3d${"b".repeat(61)}\0\0\x01\0\x01`),
];

/** Some octets changed, and now and then the end cut off or doubled. */
function mangle(random: (below: number) => number, seed: Uint8Array): Uint8Array {
  const length = random(8) === 0 ? random(seed.length + 1) : seed.length;
  const bytes = random(16) === 0 ? Uint8Array.from([...seed, ...seed]) : seed.slice(0, length);
  for (let changes = random(4); changes > 0 && bytes.length > 0; changes--) {
    bytes[random(bytes.length)] = random(2) === 0 ? random(256) : [0, 0xc0, 0xff, 63][random(4)]!;
  }
  return bytes;
}

test(`${ROUNDS} hostile queries are answered briefly, or ignored`, () => {
  const random = createRandom(53);
  const kinds = { ignored: 0, bad: 0, query: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const read = readQuery(mangle(random, SEEDS[round % SEEDS.length]!));
    kinds[read.kind]++;
    if (read.kind === "bad") assert.ok(read.response.length <= 12 + 260 + 11);
    if (read.kind !== "query") continue;
    addressOfArpa(read.query.question.name ?? "");
    if (round % 64 > 0) continue;
    const response = buildResponse(read.query, { records: RECORDS });
    assert.ok(isResponseTo(read.query, response));
    assert.ok(fitDatagram(read.query, response).length <= 512);
  }
  assert.ok(Object.values(kinds).every((count) => count > ROUNDS / 50), JSON.stringify(kinds));
});

test(`${ROUNDS} hostile answers are read or refused`, () => {
  const random = createRandom(54);
  const { query } = readQuery(SEEDS[0]!) as { query: Query };
  const alias = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 1, 0, 2, 0xc0, 12];
  const seed = buildResponse(query, { records: RECORDS });
  const answer = Uint8Array.from([...seed, ...alias]);
  answer[7] = 3;
  const seen = { addresses: 0, refused: 0, foreign: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mangle(random, answer);
    if (!isResponseTo(query, bytes)) seen.foreign++;
    const read = readAddresses(bytes);
    if (read === undefined) seen.refused++;
    else seen.addresses += read.addresses.length;
    // 11 octets are the least that a record takes
    if (read !== undefined) assert.ok(read.addresses.length <= bytes.length / 11);
  }
  assert.ok(Object.values(seen).every((count) => count > ROUNDS / 50), JSON.stringify(seen));
});

/** A million mangled queries and as many answers: seeded, the same on every run; none crashes or hangs. */

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
import { createRandom, mangle, QUERIES } from "./mangling.ts";

const ROUNDS = 1_000_000;
const RECORDS = [{ type: 1, data: new Uint8Array(4) }, { type: 28, data: new Uint8Array(16) }];

test(`${ROUNDS} hostile queries are answered briefly, or ignored`, () => {
  const random = createRandom(53);
  const kinds = { ignored: 0, bad: 0, query: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const read = readQuery(mangle(random, QUERIES[round % QUERIES.length]!));
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
  const { query } = readQuery(QUERIES[0]!) as { query: Query };
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

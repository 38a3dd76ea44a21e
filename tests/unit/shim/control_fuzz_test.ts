/** The brain's decoder against a million mangled requests: seeded, the same on every run. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as control from "../../../src/shim/control.ts";

const COUNT = 1_000_000;
const MAX_LENGTH = control.CTL_REQUEST_HEADER_LEN + 1 + control.CTL_MAX_NAME_LEN;
/** Wide: that it takes seconds and not minutes is the point. */
const MAX_MS = 60_000;
const MAX_GROWTH = 64_000_000;

/** xorshift32. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** MAGIC VER OP PID TOKEN BLEN BODY, one for each op and form. */
const SEEDS = [
  makeRequest(control.CTL_OP_CONNECT, [0, 4, 1, 187, 10, 0, 0, 1]),
  makeRequest(control.CTL_OP_CONNECT, [3, 6, 1, 187, ...new Array<number>(16).fill(9)]),
  makeRequest(control.CTL_OP_RESOLVE, [4, ...new TextEncoder().encode("hüllo.example")]),
  makeRequest(control.CTL_OP_RESOLVE, [0, ...new Array<number>(1024).fill(0x61)]),
  makeRequest(control.CTL_OP_PEER, [4, 1, 187, 127, 0, 0, 1, 4, 1, 187, 127, 0, 0, 2]),
  makeRequest(control.CTL_OP_REVERSE, [4, 0, 0, 198, 18, 0, 1]),
  makeRequest(control.CTL_OP_CONNECT, [13, 4, 0, 53, 10, 0, 0, 1, ...new Array<number>(8).fill(9)]),
  makeRequest(control.CTL_OP_VERDICT, [...new Array<number>(8).fill(9), 4, 1, 187, 127, 0, 0, 1]),
  makeRequest(control.CTL_OP_QUERY, [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]),
  makeRequest(control.CTL_OP_SOURCE, [4, 0, 53, 127, 83, 53, 1]),
  makeRequest(control.CTL_OP_SOCKET, [0, 2, 0, 3, 1, 0]),
  makeRequest(control.CTL_OP_EXECUTE, [1, 0x2f, 0x61]),
  makeRequest(control.CTL_OP_VERDICT, [1, 2, 3, 4, 5, 6, 7, 8, 4, 1, 187, 127, 0, 0, 1]),
];

function makeRequest(op: number, body: number[]): Uint8Array {
  const header = [0x54, 0x53, 1, op, ...new Array<number>(20).fill(7)];
  return Uint8Array.from([...header, body.length >> 8, body.length & 0xff, ...body]);
}

/** A copy with some octets changed, and one time in four the length. */
function mangle(seed: Uint8Array, pick: (below: number) => number): Uint8Array {
  const bytes = seed.slice();
  for (let changes = pick(4); changes > 0; changes--) {
    bytes[pick(pick(2) ? bytes.length : Math.min(bytes.length, 34))] = pick(256);
  }
  if (pick(4) > 0) return bytes;
  const changed = new Uint8Array(pick(bytes.length + 8));
  changed.set(bytes.subarray(0, changed.length));
  return changed;
}

/** What the rest of the brain relies on. */
function checkRequest(request: control.ControlRequest): void {
  assert.ok(request.token.length === control.CTL_TOKEN_LEN && request.pid >= 0);
  if (request.op === "resolve") {
    assert.ok(request.name.length > 0 && request.name.length <= control.CTL_MAX_NAME_LEN);
    assert.ok(!request.name.includes("\0"));
  }
  if ("endpoint" in request) checkEndpoint(request.endpoint);
  if (request.op === "verdict") checkEndpoint(request.socket.local);
}

function checkEndpoint({ bytes, port, address }: control.ControlEndpoint): void {
  assert.ok(bytes.length === 4 || bytes.length === 16);
  assert.ok(port >= 0 && port <= 65535);
  assert.equal(address.bytes.length, address.version === 4 ? 4 : 16);
}

test("decodeRequest() takes a million mangled requests for what they are, and none amiss", () => {
  const pick = createRandom(20);
  const seen: Record<control.DecodedRequest["kind"], number> = {
    incomplete: 0,
    bad: 0,
    request: 0,
  };
  const startedAt = performance.now();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < COUNT; i++) {
    const bytes = mangle(SEEDS[pick(SEEDS.length)]!, pick);
    const decoded = control.decodeRequest(bytes);
    seen[decoded.kind]++;
    if (decoded.kind === "request") checkRequest(decoded.request);
    const started = control.decodeWaitingSocket(bytes.subarray(control.CTL_REQUEST_HEADER_LEN));
    if (started !== undefined) checkEndpoint(started.local);
    if (decoded.kind === "incomplete") assert.ok(bytes.length < MAX_LENGTH);
  }
  const growth = process.memoryUsage().heapUsed - before;
  assert.ok(performance.now() - startedAt < MAX_MS);
  assert.ok(growth < MAX_GROWTH, `${growth} octets more`);
  assert.ok(Math.min(...Object.values(seen)) > COUNT / 20, JSON.stringify(seen));
});

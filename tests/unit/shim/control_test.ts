/**
 * The brain's half of the control protocol: against control.h's constants, and octet by octet
 * against messages written out here by hand.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as control from "../../../src/shim/control.ts";
import type { ControlAnswer, ControlRequest } from "../../../src/shim/control.ts";

const TOKEN = Array.from({ length: 16 }, (_, at) => 0xa0 + at);
const TICKET = Uint8Array.from({ length: 17 }, (_, at) => at + 1);
const HEADER = { pid: 0x01020304, token: Uint8Array.from(TOKEN) };

function request(op: number, body: number[]): Uint8Array {
  const length = [body.length >> 8, body.length & 0xff];
  return Uint8Array.from([0x54, 0x53, 1, op, 1, 2, 3, 4, ...TOKEN, ...length, ...body]);
}

const V6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];

function endpoint(version: 4 | 6, address: number[], raw: number[]) {
  return {
    address: { version, bytes: Uint8Array.from(address) },
    bytes: Uint8Array.from(raw),
    port: 443,
  };
}

const COOKIE = [1, 2, 3, 4, 5, 6, 7, 8];
const SOCKET = {
  cookie: 0x0102030405060708n,
  local: endpoint(4, [127, 0, 0, 1], [127, 0, 0, 1]),
};

test("STARTED is COOKIE ENDPOINT, octet by octet", () => {
  const bytes = Uint8Array.from([...COOKIE, 4, 1, 187, 127, 0, 0, 1]);
  assert.deepEqual(control.decodeWaitingSocket(bytes), SOCKET);
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(control.decodeWaitingSocket(bytes.subarray(0, length)), undefined);
  }
  assert.equal(control.decodeWaitingSocket(Uint8Array.from([...bytes, 0])), undefined);
});

test("the brain's own question is one that it understands", () => {
  const decoded = control.decodeRequest(control.encodePeerRequest(Uint8Array.from(TOKEN)));
  assert.equal(decoded.kind === "request" && decoded.request.op, "peer");
});

const REQUESTS: { name: string; bytes: Uint8Array; request: ControlRequest }[] = [
  { name: "reload", bytes: request(17, []), request: { op: "reload", ...HEADER } },
  {
    name: "connect, blocking, IPv4",
    bytes: request(1, [0, 4, 1, 187, 10, 0, 0, 1]),
    request: {
      op: "connect",
      ...HEADER,
      isNonBlocking: false,
      isInet6: false,
      isDatagram: false,
      isMultipath: false,
      endpoint: endpoint(4, [10, 0, 0, 1], [10, 0, 0, 1]),
    },
  },
  {
    name: "connect, non-blocking, IPv6",
    bytes: request(1, [3, 6, 1, 187, ...V6]),
    request: {
      op: "connect",
      ...HEADER,
      isNonBlocking: true,
      isInet6: true,
      isDatagram: false,
      isMultipath: false,
      endpoint: endpoint(6, V6, V6),
    },
  },
  {
    name: "connect, v4-mapped, raw octets kept",
    bytes: request(1, [2, 6, 1, 187, ...MAPPED]),
    request: {
      op: "connect",
      ...HEADER,
      isNonBlocking: false,
      isInet6: true,
      isDatagram: false,
      isMultipath: false,
      endpoint: endpoint(4, [10, 0, 0, 1], MAPPED),
    },
  },
  {
    name: "connect, datagrams, IPv6",
    bytes: request(1, [7, 6, 1, 187, ...V6]),
    request: {
      op: "connect",
      ...HEADER,
      isNonBlocking: true,
      isInet6: true,
      isDatagram: true,
      isMultipath: false,
      endpoint: endpoint(6, V6, V6),
    },
  },
  {
    name: "connect, non-blocking, Multipath TCP",
    bytes: request(1, [17, 4, 1, 187, 10, 0, 0, 1]),
    request: {
      op: "connect",
      ...HEADER,
      isNonBlocking: true,
      isInet6: false,
      isDatagram: false,
      isMultipath: true,
      endpoint: endpoint(4, [10, 0, 0, 1], [10, 0, 0, 1]),
    },
  },
  {
    name: "connect, datagrams to a name server, IPv4",
    bytes: request(1, [13, 4, 1, 187, 10, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0x12, 0x34]),
    request: {
      op: "connect",
      ...HEADER,
      isNonBlocking: true,
      isInet6: false,
      isDatagram: true,
      isMultipath: false,
      inode: 0x11234n,
      endpoint: endpoint(4, [10, 0, 0, 1], [10, 0, 0, 1]),
    },
  },
  {
    name: "socket",
    bytes: request(16, [0, 2, 0, 3, 1, 0]),
    request: { op: "socket", ...HEADER, domain: 2, type: 3, protocol: 256 },
  },
  {
    name: "resolve, UTF-8",
    bytes: request(2, [4, 0xc3, 0xbc, 0x2e, 0x78]),
    request: { op: "resolve", ...HEADER, family: 4, name: "ü.x" },
  },
  {
    name: "resolve, not UTF-8",
    bytes: request(2, [0, 0xfc, 0x80]),
    request: { op: "resolve", ...HEADER, family: 0, name: "\udcfc\udc80" },
  },
  {
    name: "resolve, the longest name",
    bytes: request(2, [6, ...new Array<number>(1024).fill(0x61)]),
    request: { op: "resolve", ...HEADER, family: 6, name: "a".repeat(1024) },
  },
  {
    name: "verdict",
    bytes: request(7, [...COOKIE, 4, 1, 187, 127, 0, 0, 1]),
    request: { op: "verdict", ...HEADER, socket: SOCKET },
  },
  {
    name: "peer",
    bytes: request(3, [4, 1, 187, 127, 0, 0, 1, 4, 1, 187, 127, 0, 0, 2]),
    request: {
      op: "peer",
      ...HEADER,
      local: endpoint(4, [127, 0, 0, 1], [127, 0, 0, 1]),
      remote: endpoint(4, [127, 0, 0, 2], [127, 0, 0, 2]),
    },
  },
  {
    name: "reverse",
    bytes: request(4, [6, 0, 0, ...V6]),
    request: { op: "reverse", ...HEADER, endpoint: { ...endpoint(6, V6, V6), port: 0 } },
  },
  {
    name: "query",
    bytes: request(9, [1, 2, 3]),
    request: { op: "query", ...HEADER, message: Uint8Array.of(1, 2, 3) },
  },
  {
    name: "source",
    bytes: request(10, [4, 1, 187, 127, 83, 53, 1]),
    request: {
      op: "source",
      ...HEADER,
      endpoint: endpoint(4, [127, 83, 53, 1], [127, 83, 53, 1]),
    },
  },
  {
    name: "execute, a static program",
    bytes: request(6, [1, 0x2f, 0x61]),
    request: { op: "uncovered", ...HEADER, reason: "static", path: "/a" },
  },
  {
    name: "execute, file capabilities, the longest path, not UTF-8",
    bytes: request(6, [4, ...new Array<number>(255).fill(0xff)]),
    request: { op: "uncovered", ...HEADER, reason: "capabilities", path: "\udcff".repeat(255) },
  },
];

const BAD: { name: string; bytes: Uint8Array; reason: RegExp }[] = [
  { name: "another magic", bytes: Uint8Array.of(0x47), reason: /version/ },
  { name: "another version", bytes: Uint8Array.of(0x54, 0x53, 2), reason: /version/ },
  { name: "an unknown op", bytes: request(99, []), reason: /op 99/ },
  { name: "no body to reverse", bytes: request(4, []), reason: /endpoint/ },
  { name: "a port to reverse", bytes: request(4, [4, 0, 1, 198, 18, 0, 1]), reason: /port/ },
  { name: "no message", bytes: request(9, []), reason: /message/ },
  { name: "no body to source", bytes: request(10, []), reason: /endpoint/ },
  { name: "unknown flags", bytes: request(1, [32, 4, 1, 187, 1, 1, 1, 1]), reason: /flags/ },
  { name: "an inode of TCP", bytes: request(1, [8, 4, 1, 187, 1, 1, 1, 1]), reason: /flags/ },
  { name: "a short inode", bytes: request(1, [12, 4, 1, 187, 1, 1, 1, 1, 0]), reason: /endpoint/ },
  { name: "an inode alone", bytes: request(1, [12]), reason: /endpoint/ },
  { name: "an unknown family", bytes: request(2, [5, 0x61]), reason: /family/ },
  { name: "no body to connect", bytes: request(1, []), reason: /endpoint/ },
  { name: "a short endpoint", bytes: request(3, [4, 1, 187, 1, 1, 1]), reason: /endpoint/ },
  { name: "a long endpoint", bytes: request(3, [4, 1, 187, 1, 1, 1, 1, 1]), reason: /endpoint/ },
  { name: "no body to resolve", bytes: request(2, []), reason: /family/ },
  { name: "a short socket", bytes: request(16, [0, 17, 0, 3, 0]), reason: /socket/ },
  { name: "no name", bytes: request(2, [0]), reason: /name/ },
  { name: "a zero octet", bytes: request(2, [0, 0x61, 0, 0x62]), reason: /zero/ },
  { name: "no body to execute", bytes: request(6, []), reason: /reason/ },
  { name: "a body in a reload", bytes: request(17, [0]), reason: /body in a reload/ },
  { name: "an unknown reason", bytes: request(6, [99, 0x2f]), reason: /reason 99/ },
  { name: "a zero octet in a path", bytes: request(6, [1, 0x2f, 0]), reason: /zero/ },
  { name: "a path too long", bytes: request(6, Array(257).fill(1)), reason: /256/ },
  {
    name: "a name too long",
    bytes: request(2, new Array<number>(1026).fill(4)).slice(0, 26),
    reason: /1026/,
  },
];

const ANSWERS: { answer: ControlAnswer; bytes: number[] }[] = [
  { answer: { status: "direct" }, bytes: [1, 0, 0, 0, 0, 0, 0, 0] },
  {
    answer: {
      status: "forward",
      endpoint: { bytes: Uint8Array.of(127, 0, 0, 1), port: 0x1234 },
      ticket: TICKET,
    },
    bytes: [2, 0, 0, 0, 0, 0, 0, 24, 4, 0x12, 0x34, 127, 0, 0, 1, ...TICKET],
  },
  { answer: { status: "fail", error: 0x16f }, bytes: [3, 0, 0, 0, 1, 0x6f, 0, 0] },
  // EAI_NONAME goes without its sign
  { answer: { status: "fail", error: -2 }, bytes: [3, 0, 0, 0, 0, 2, 0, 0] },
  { answer: { status: "libc" }, bytes: [4, 0, 0, 0, 0, 0, 0, 0] },
  { answer: { status: "address", text: "::1" }, bytes: [5, 0, 0, 0, 0, 0, 0, 3, 58, 58, 49] },
  {
    answer: { status: "peer", endpoint: { bytes: Uint8Array.from(V6), port: 80 } },
    bytes: [6, 0, 0, 0, 0, 0, 0, 19, 6, 0, 80, ...V6],
  },
  {
    answer: {
      status: "pending",
      endpoint: { bytes: Uint8Array.from(V6), port: 80 },
      onStarted() {},
    },
    bytes: [8, 0, 0, 0, 0, 0, 0, 19, 6, 0, 80, ...V6],
  },
  {
    answer: { status: "message", message: new Uint8Array(300) },
    bytes: [9, 0, 0, 0, 0, 0, 1, 44, ...new Uint8Array(300)],
  },
  {
    answer: { status: "redirect", endpoint: { bytes: Uint8Array.of(127, 83, 53, 1), port: 80 } },
    bytes: [10, 0, 0, 0, 0, 0, 0, 7, 4, 0, 80, 127, 83, 53, 1],
  },
  { answer: { status: "name", name: "ü.x" }, bytes: [7, 0, 0, 0, 0, 0, 0, 4, 195, 188, 46, 120] },
];

const UNSENDABLE: ControlAnswer[] = [
  { status: "fail", error: 4096 },
  { status: "fail", error: 1.5 },
  { status: "address", text: "" },
  { status: "address", text: "a".repeat(257) },
  { status: "name", name: "" },
  { status: "message", message: new Uint8Array() },
  { status: "message", message: new Uint8Array(65536) },
  { status: "name", name: "a".repeat(256) },
  { status: "peer", endpoint: { bytes: new Uint8Array(5), port: 1 } },
  { status: "peer", endpoint: { bytes: new Uint8Array(4), port: 65536 } },
  {
    status: "forward",
    endpoint: { bytes: new Uint8Array(4), port: 1 },
    ticket: new Uint8Array(16),
  },
];

test("control.ts has the constants of control.h, all of them", () => {
  const header = readFileSync(new URL("../../../src/shim/control.h", import.meta.url), "utf8");
  const inHeader = [...header.matchAll(/^#define (CTL_\w+) (\w+)$/gm)]
    .map((match) => [match[1], Number(match[2])]);
  const inModule = Object.entries(control).filter(([name]) => name.startsWith("CTL_"));
  assert.ok(inHeader.length >= 20);
  assert.deepEqual(inHeader.sort(), inModule.sort());
});

for (const row of REQUESTS) {
  test(`decodeRequest() reads a request: ${row.name}`, () => {
    assert.deepEqual(control.decodeRequest(row.bytes), { kind: "request", request: row.request });
  });

  test(`decodeRequest() waits at every truncation: ${row.name}`, () => {
    for (let length = 0; length < row.bytes.length; length++) {
      assert.deepEqual(control.decodeRequest(row.bytes.slice(0, length)), { kind: "incomplete" });
    }
  });

  test(`decodeRequest() refuses an octet behind: ${row.name}`, () => {
    assert.equal(control.decodeRequest(Uint8Array.from([...row.bytes, 0])).kind, "bad");
  });
}

for (const row of BAD) {
  test(`decodeRequest() is bad when given ${row.name}`, () => {
    const decoded = control.decodeRequest(row.bytes);
    assert.equal(decoded.kind, "bad");
    assert.match(decoded.kind === "bad" ? decoded.reason : "", row.reason);
  });
}

for (const row of ANSWERS) {
  test(`encodeAnswer() writes ${row.answer.status}`, () => {
    assert.deepEqual([...control.encodeAnswer(row.answer)], row.bytes);
  });
}

test("encodeAnswer() throws when the message cannot carry the answer", () => {
  for (const answer of UNSENDABLE) {
    assert.throws(() => control.encodeAnswer(answer), RangeError);
  }
});

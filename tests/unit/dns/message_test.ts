/** DNS messages octet by octet, written out here by hand from RFC 1035 §4 and RFC 6891. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  buildQuery,
  buildResponse,
  fitDatagram,
  formatType,
  isResponseTo,
  type Query,
  readAddresses,
  readQuery,
} from "../../../src/dns/message.ts";
import { encodeName } from "../../../src/dns/wire.ts";
import { formatIpAddress } from "../../../src/net/address.ts";

const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const join = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const hex = (text: string) =>
  Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));

const NAME = latin1("\x05hElLo\x07example\0");
const QUESTION = join(NAME, hex("0001 0001"));
const OPT = hex("00 0029 1000 00 00 8000 0000");

function message(words: string, ...parts: Uint8Array[]): Uint8Array {
  return join(hex(words), ...parts);
}

const PLAIN = message("1234 0110 0001 0000 0000 0000", QUESTION);
const WITH_OPT = message("1234 0100 0001 0000 0000 0001", QUESTION, OPT);

function queryOf(bytes: Uint8Array): Query {
  const read = readQuery(bytes);
  assert.equal(read.kind, "query");
  return (read as { query: Query }).query;
}

test("readQuery() reads the question, its case kept, and EDNS", () => {
  const query = queryOf(WITH_OPT);
  assert.deepEqual([query.id, query.question.name, query.question.type], [
    0x1234,
    "hElLo.example",
    1,
  ]);
  assert.deepEqual(query.edns, { udpLength: 4096, isDnssecOk: true });
  assert.equal(queryOf(PLAIN).edns, undefined);
});

test("readQuery() has no name for labels that are no text, and one for the root", () => {
  const nameOf = (name: string) =>
    queryOf(message("1 2340 1000 0010 0000 0000 000", latin1(name), hex("0002 0001"))).question
      .name;
  assert.equal(nameOf("\x03a.b\0"), undefined);
  assert.equal(nameOf("\x01\xff\0"), undefined);
  assert.equal(nameOf("\0"), "");
  assert.equal(nameOf("\x02\xc3\xbc\0"), "ü");
});

const BAD: [string, Uint8Array, number, number][] = [
  ["of another opcode", message("1234 2100 0001 0000 0000 0000", QUESTION), 4, 12],
  ["with two questions", message("1234 0100 0002 0000 0000 0000", QUESTION, QUESTION), 1, 12],
  ["without a question", message("1234 0100 0000 0000 0000 0000"), 1, 12],
  ["of another class", message("1234 0100 0001 0000 0000 0000", NAME, hex("0001 0003")), 5, 31],
  ["with a pointer", message("1234 0100 0001 0000 0000 0000", hex("c00c 0001 0001")), 1, 12],
  ["with a pointer to 0", message("1234 0100 0001 0000 0000 0000", hex("c000 0001 0001")), 1, 12],
  ["with octets behind it", join(PLAIN, hex("00")), 1, 12],
  ["with two OPT", message("1234 0100 0001 0000 0000 0002", QUESTION, OPT, OPT), 1, 12],
  ["cut short", PLAIN.subarray(0, 20), 1, 12],
  [
    "of a later EDNS",
    message("1234 0100 0001 0000 0000 0001", QUESTION, hex("00 0029 1000 00 01 0000 0000")),
    0,
    42,
  ],
  [
    "with a name too long",
    message("1234 0100 0001 0000 0000 0000", latin1("\x3f".repeat(300)), hex("00 0001 0001")),
    1,
    12,
  ],
];
for (const [what, bytes, rcode, length] of BAD) {
  test(`readQuery() answers a query ${what} with rcode ${rcode}`, () => {
    const read = readQuery(bytes);
    assert.equal(read.kind, "bad");
    const { response } = read as { response: Uint8Array };
    assert.deepEqual([...response.subarray(0, 3), response[3]! & 15, response.length], [
      ...[0x12, 0x34, response[2]!],
      ...[rcode, length],
    ]);
    assert.ok(response[2]! & 0x80);
    if (/EDNS/.test(what)) assert.equal(response[31 + 5], 1, "EXTENDED-RCODE of BADVERS");
  });
}

test("readQuery() ignores an answer, and what is too short for a header", () => {
  assert.equal(readQuery(message("1234 8180 0001 0000 0000 0000", QUESTION)).kind, "ignored");
  for (let length = 0; length < 12; length++) {
    assert.equal(readQuery(PLAIN.subarray(0, length)).kind, "ignored");
  }
});

test("buildResponse() echoes question, RD and CD, and puts records behind a pointer", () => {
  const records = [{ type: 1, data: Uint8Array.of(198, 18, 0, 1) }];
  assert.deepEqual(
    buildResponse(queryOf(PLAIN), { records }),
    message(
      "1234 8190 0001 0001 0000 0000",
      QUESTION,
      hex("c00c 0001 0001 0000003c 0004 c6120001"),
    ),
  );
  assert.deepEqual(
    buildResponse(queryOf(WITH_OPT), { rcode: 3 }),
    message("1234 8183 0001 0000 0000 0001", QUESTION, hex("00 0029 04d0 00 00 8000 0000")),
  );
});

test("fitDatagram() cuts to the question with TC what is longer than the program takes", () => {
  const long = join(buildResponse(queryOf(PLAIN), {}), new Uint8Array(600));
  assert.deepEqual(
    fitDatagram(queryOf(PLAIN), long),
    message("1234 8390 0001 0000 0000 0000", QUESTION),
  );
  assert.equal(fitDatagram(queryOf(WITH_OPT), long), long);
  const longer = join(long, new Uint8Array(700));
  assert.equal(fitDatagram(queryOf(WITH_OPT), longer)[2]! & 2, 2);
});

test("buildQuery() writes one question; isResponseTo() takes its answer in any case, and no other", () => {
  const query = queryOf(PLAIN);
  assert.deepEqual(
    buildQuery(0x1234, "hello.example.", 28),
    message("1234 0100 0001 0000 0000 0000", latin1("\x05hello\x07example\0"), hex("001c 0001")),
  );
  const response = message(
    "1234 8180 0001 0000 0000 0000",
    latin1("\x05HELLO\x07exAmple\0"),
    hex("0001 0001"),
  );
  assert.ok(isResponseTo(query, response));
  for (const at of [0, 2, 5, 13, 28]) {
    const other = response.slice();
    other[at]! ^= at === 2 ? 0x80 : 0x01;
    assert.ok(!isResponseTo(query, other), `octet ${at}`);
  }
  assert.ok(!isResponseTo(query, response.subarray(0, 30)));
  for (
    const [refusal, isOne] of [
      ["1234 8181 0000 0000 0000 0000", true], // FORMERR
      ["1235 8181 0000 0000 0000 0000", false],
      ["1234 0181 0000 0000 0000 0000", false],
      ["1234 8181 0001 0000 0000 0000", false],
      ["1234 8180 0000 0000 0000 0000", false],
    ] as const
  ) {
    assert.equal(isResponseTo(query, hex(refusal)), isOne, refusal);
  }
});

test("readAddresses() takes the addresses behind an alias", () => {
  const response = message(
    "1234 8180 0001 0003 0000 0000",
    QUESTION,
    hex("c00c 0005 0001 00000001 0002 c00c"),
    hex("c00c 0001 0001 00000001 0004 c0000201"),
    hex("c00c 001c 0001 00000001 0010 20010db8000000000000000000000001"),
  );
  const { rcode, addresses } = readAddresses(response)!;
  assert.deepEqual([rcode, ...addresses.map(formatIpAddress)], [0, "192.0.2.1", "2001:db8::1"]);
  for (let length = 0; length < response.length; length++) {
    assert.equal(readAddresses(response.subarray(0, length)), undefined, `${length} octets`);
  }
});

test("encodeName() keeps to 63 octets a label and 255 in all", () => {
  assert.deepEqual(encodeName("a.bc."), latin1("\x01a\x02bc\0"));
  assert.deepEqual(encodeName(""), latin1("\0"));
  assert.equal(encodeName("a".repeat(64)), undefined);
  assert.equal(encodeName("a..b"), undefined);
  assert.equal(encodeName(Array(64).fill("abc").join("."))?.length, undefined);
  assert.equal(encodeName(Array(63).fill("abc").join("."))?.length, 253);
});

test("formatType() names what it knows, and numbers the rest", () => {
  assert.deepEqual([1, 28, 15, 65, 4711].map(formatType), ["A", "AAAA", "MX", "HTTPS", "TYPE4711"]);
});

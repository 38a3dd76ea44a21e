/** Every machine and filter against hostile peers: seeded, bounded, the same on every run. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerType } from "../../../src/config/model.ts";
import { createClient } from "../../../src/socks/client.ts";
import { createBodyFilter } from "../../../src/socks/http_body.ts";
import { createServerMachine } from "../../../src/socks/server.ts";
import {
  addressOf,
  ascii,
  BANNER,
  CLOSED,
  hex,
  join,
  nameOf,
  OPEN,
  PASSWORD,
  unwrap,
} from "./feeding.ts";
import { createRandom } from "../../helpers/random.ts";

const ROUNDS = 1500;
const MEGABYTE = 1_000_000;
/** No machine waits for more than an HTTP head of 64 KiB. */
const MAX_WAIT = 70_000;

type Machine = { receive(chunk: Uint8Array): { kind: string }[] };
type Subject = { name: string; create: () => Machine; seeds: Uint8Array[] };

const DESTINATIONS = [addressOf("10.1.4.253", 80), nameOf("hello.example", 443)];

function clientSubject(type: ServerType, seeds: Uint8Array[]): Subject {
  const create = () => {
    const destination = DESTINATIONS[type === "4" ? 0 : 1]!;
    const machine = unwrap(createClient({ type, credentials: PASSWORD, destination }));
    machine.start();
    return machine;
  };
  return { name: `client of server_type = ${type}`, create, seeds };
}

const SOCKS4_REPLIES = [hex("00 5a 0000 00000000"), hex("00 5b 0000 00000000")];
const REQUESTS = [
  join(hex("05 02 00 02 01 03"), ascii("bob"), hex("06"), ascii("s3cret")),
  hex("05 01 00 05 01 00 01 0a0104fd 0050"),
  join(hex("05 01 00 05 01 00 03 0d"), ascii("hello.example"), hex("01bb")),
  join(hex("04 01 01bb 00000001"), ascii("bob"), hex("00"), ascii("hello.example"), hex("00")),
  ascii(
    "CONNECT hello.example:443 HTTP/1.1\r\nProxy-Authorization: Basic Ym9iOnMzY3JldA==\r\n\r\n",
  ),
  ascii(
    "POST http://hello.example/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  ),
  ascii("POST http://hello.example/x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
];

const SUBJECTS: Subject[] = [
  clientSubject("4", SOCKS4_REPLIES),
  clientSubject("4a", SOCKS4_REPLIES),
  clientSubject("5", [
    hex("05 02 01 00 05 00 00 01 7f000001 1234"),
    hex("05 00 05 00 00 04 20010db8000000000000000000000001 0050"),
    join(hex("05 00 05 00 00 03 05"), ascii("a.b.c"), hex("0050")),
  ]),
  clientSubject("http", [
    ascii("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"),
    ascii("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 407 Who\r\n\r\n"),
  ]),
  { name: "open server", create: () => createServerMachine(OPEN), seeds: REQUESTS },
  { name: "closed server", create: () => createServerMachine(CLOSED), seeds: REQUESTS },
];

for (const { name, create, seeds } of SUBJECTS) {
  test(`${name} never throws and shows no secret when a valid peer is damaged`, () => {
    const random = createRandom(1928);
    for (let round = 0; round < ROUNDS; round++) {
      const seed = seeds[random(seeds.length)]!;
      feed(create(), cut(damage(join(seed, BANNER), random), random));
    }
  });

  test(`${name} never throws when fed noise`, () => {
    const random = createRandom(1929);
    for (let round = 0; round < ROUNDS; round++) {
      const noise = Uint8Array.from({ length: random(300) }, () => random(256));
      feed(create(), cut(noise, random));
    }
  });

  test(`${name} ends early when fed a megabyte of any one octet`, () => {
    for (const prefix of [...seeds.map((seed) => seed.subarray(0, 12)), new Uint8Array()]) {
      for (const octet of [0x00, 0x01, 0x05, 0x0a, 0x20, 0x41, 0xff]) {
        const flood = new Uint8Array(MEGABYTE).fill(octet);
        assert(feed(create(), [prefix, flood]), "whole");
        assert(feed(create(), [prefix, ...slices(flood.subarray(0, MAX_WAIT), 1000)]), "sliced");
      }
    }
  });
}

test("a RequestFilter passes the start of what it is fed, and nothing after its end", () => {
  const random = createRandom(9112);
  const chunked = ascii("a;x=y\r\n0123456789\r\n1\r\na\r\n0\r\nDigest: x\r\n\r\n");
  for (let round = 0; round < ROUNDS; round++) {
    const filter = createBodyFilter(
      random(3) > 0 ? { kind: "chunked" } : { kind: "length", contentLength: random(60) },
    );
    const octets = damage(join(chunked, BANNER), random);
    let passed: Uint8Array = new Uint8Array();
    let wasOver = false;
    for (const chunk of cut(octets, random)) {
      const { pass, isOver } = filter.take(chunk);
      assert(!wasOver || isOver && pass.length === 0);
      passed = join(passed, pass);
      wasOver = isOver;
    }
    assert.deepEqual(passed, octets.slice(0, passed.length));
  }
});

/** Whether the machine came to its end; events after which nothing may be fed end the feeding. */
function feed(machine: Machine, chunks: Uint8Array[]): boolean {
  for (const chunk of chunks) {
    for (const event of machine.receive(chunk)) {
      if (event.kind === "send") continue;
      if (event.kind === "failed") checkFailure(event);
      return true;
    }
  }
  return false;
}

function checkFailure(event: { kind: string }): void {
  const { code, detail } = (event as { failure?: { code?: string; detail?: string } }).failure ??
    {};
  assert.match(code ?? "", /^[A-Z_]+$/);
  assert((detail?.length ?? 201) <= 200);
  assert.doesNotMatch(detail ?? "", /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|s3cret|Ym9i/u);
}

/** One to three octets changed, removed or doubled. */
function damage(octets: Uint8Array, random: (below: number) => number): Uint8Array {
  const damaged = [...octets];
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(damaged.length);
    const octet = random(2) === 0 ? random(256) : (damaged[at] ?? 0) ^ (1 << random(8));
    damaged.splice(at, random(3), ...new Array<number>(random(3)).fill(octet));
  }
  return Uint8Array.from(damaged);
}

/** Pieces of random sizes. */
function cut(octets: Uint8Array, random: (below: number) => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < octets.length;) {
    const length = random(20);
    pieces.push(octets.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function slices(octets: Uint8Array, length: number): Uint8Array[] {
  const count = Math.ceil(octets.length / length);
  return Array.from({ length: count }, (_, at) => octets.subarray(at * length, (at + 1) * length));
}

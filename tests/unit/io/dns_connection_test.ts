/** The far end of a TCP connection to a name server. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { test } from "node:test";
import { openDnsConnection } from "../../../src/io/dns_connection.ts";

const framed = (text: string) => Buffer.concat([Buffer.of(0, text.length), Buffer.from(text)]);
const TWO = Buffer.concat([framed("one"), framed("three")]);
const reversed = (message: Uint8Array) => Promise.resolve(Uint8Array.from(message).reverse());

for (const size of [1, 3, TWO.length]) {
  test(`openDnsConnection() answers in order what comes in pieces of ${size}, and the end with the end`, async () => {
    const socket = openDnsConnection(reversed);
    const seen: Buffer[] = [];
    socket.on("data", (chunk) => seen.push(chunk));
    for (let at = 0; at < TWO.length; at += size) socket.write(TWO.subarray(at, at + size));
    socket.end();
    await once(socket, "close");
    assert.equal(Buffer.concat(seen).toString(), `${framed("eno")}${framed("eerht")}`);
  });
}

test("openDnsConnection() closes where there is no answer", async () => {
  const socket = openDnsConnection(() => Promise.resolve(undefined));
  socket.write(TWO);
  await once(socket, "close");
});

test("openDnsConnection() answers no more than a program reads", async () => {
  let answered = 0;
  const socket = openDnsConnection(() => Promise.resolve(new Uint8Array(10_000).fill(++answered)));
  for (let at = 0; at < 1000; at++) socket.write(framed("x"));
  for (let turn = 0; turn < 100; turn++) await new Promise((done) => setImmediate(done));
  assert.ok(answered < 20, `${answered} answers are held`);
  socket.resume();
  socket.end();
  await once(socket, "close");
  assert.equal(answered, 1000);
});

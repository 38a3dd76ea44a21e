/** The UDP sockets that stand for name servers. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { DnsFaces } from "../../../src/io/dns_faces.ts";
import { addressFromBytes, formatIpAddress } from "../../../src/net/address.ts";

const server = (number: number) => addressFromBytes(Uint8Array.of(203, 0, 113, number));
/** Of the socket with this port, as proc(5) has it. */
function inodeOf(port: number): bigint {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const files = ["/proc/net/udp", "/proc/net/udp6"];
  const rows = files.map((file) => readFileSync(file, "latin1")).join("").split("\n").map((row) =>
    row.trim().split(/\s+/)
  );
  return BigInt(rows.find((columns) => columns[1]?.endsWith(end))![9]!);
}

const ANYONE = { inode: 1n, pid: 1 };

test("DnsFaces has one face a server, and room for 64", async () => {
  const faces = new DnsFaces(() => Promise.resolve(undefined));
  try {
    const first = await faces.open(server(1), ANYONE);
    assert.deepEqual([...first!.bytes], [127, 83, 53, 1]);
    assert.deepEqual(await faces.open(server(1), ANYONE), first);
    const seen = new Set<string>();
    for (let number = 1; number <= 64; number++) {
      const { bytes, port } = (await faces.open(server(number), ANYONE))!;
      const address = addressFromBytes(bytes);
      seen.add(formatIpAddress(address));
      const stood = faces.serverOf(address, port)!;
      assert.deepEqual([[...stood.bytes], stood.port], [[203, 0, 113, number], 53]);
      assert.equal(faces.serverOf(address, port ^ 1), undefined);
    }
    assert.equal(seen.size, 64);
    assert.equal(await faces.open(server(65), ANYONE), undefined);
  } finally {
    faces.close();
  }
});

test("DnsFaces answers a socket as long as its inode is among the last 4096 announced", async () => {
  const faces = new DnsFaces((message) => Promise.resolve(message));
  const socket = createSocket("udp4");
  try {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const inode = inodeOf(socket.address().port);
    const face = (await faces.open(server(1), { inode, pid: 1 }))!;
    const ask = (word: string) => socket.send(word, face.port, "127.83.53.1");
    ask("heard");
    const [answer] = await once(socket, "message");
    assert.equal(`${answer}`, "heard");
    for (let other = 1n; other <= 4096n; other++) {
      await faces.open(server(1), { inode: -other, pid: 1 });
    }
    let answers = 0;
    socket.on("message", () => answers++);
    ask("not heard");
    for (let turn = 0; turn < 30; turn++) await setTimeout(1);
    assert.equal(answers, 0);
  } finally {
    socket.close();
    faces.close();
  }
});

test("DnsFaces knows a socket by its port and address", async () => {
  const faces = new DnsFaces((message) => Promise.resolve(message));
  const sockets = [createSocket("udp4"), createSocket("udp4")] as const;
  const [announced, stranger] = sockets;
  try {
    announced.bind(0, "127.0.0.1");
    await once(announced, "listening");
    const { port } = announced.address();
    const face = (await faces.open(server(1), { inode: inodeOf(port), pid: 1 }))!;
    stranger.bind(port, "127.0.0.2");
    await once(stranger, "listening");
    let answers = 0;
    stranger.on("message", () => answers++);
    for (let at = 0; at < 5; at++) stranger.send("mine", face.port, "127.83.53.1");
    for (let at = 0; at < 2; at++) {
      announced.send("theirs", face.port, "127.83.53.1");
      await once(announced, "message");
    }
    assert.equal(answers, 0);
  } finally {
    sockets.forEach((socket) => socket.close());
    faces.close();
  }
});

test("DnsFaces finds an IPv6 socket that is bound to any address", async () => {
  const faces = new DnsFaces((message) => Promise.resolve(message));
  const socket = createSocket("udp6");
  try {
    socket.bind(0, "::");
    await once(socket, "listening");
    const { port } = socket.address();
    const face = (await faces.open(server(1), { inode: inodeOf(port), pid: 1 }))!;
    socket.send("heard", face.port, "::ffff:127.83.53.1");
    assert.equal(`${(await once(socket, "message"))[0]}`, "heard");
  } finally {
    socket.close();
    faces.close();
  }
});

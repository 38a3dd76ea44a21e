/** What the relay must carry through: half-closes, resets, much data, and a reader that is slow. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { test } from "node:test";
import { residentBytes } from "../helpers/leftovers.ts";
import { startServer } from "../helpers/local_servers.ts";
import { needs } from "../helpers/needs.ts";
import { python } from "../helpers/python.ts";
import { startReferenceServer } from "../helpers/reference_server.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";
import { runTsocks, startTsocks } from "../helpers/tsocks.ts";
import { waitFor } from "../helpers/wait.ts";

const forPython = needs("python3");
const MEGABYTE = 1_000_000;

const HEAD = `
import socket, struct, sys, hashlib, errno
s = socket.create_connection(("hello.example", 80))
`;

const HALF_CLOSE = `${HEAD}
s.sendall(b"question")
s.shutdown(socket.SHUT_WR)
answer = b""
while chunk := s.recv(4096):
    answer += chunk
print(answer.decode())`;

/** A run of a Python program against one destination, through a reference server. */
async function runAgainst(serve: (socket: Socket) => void, script: string) {
  await using destination = await startServer(serve);
  await using server = await startReferenceServer({
    routes: { "hello.example": destination.port },
  });
  const args = ["run", "--server", server.url(), "--no-env", "--", ...python(script)];
  const { status, stdout, stderr } = await runTsocks(args, { timeoutMs: 20_000 });
  return { status, stdout, stderr };
}

test("a program may end its side and still read the answer", forPython, async () => {
  const done = await runAgainst((socket) => {
    let question = "";
    socket.on("data", (chunk) => question += chunk);
    socket.once("end", () => socket.end(`answer to ${question}`));
  }, HALF_CLOSE);
  assert.deepEqual(done, { status: 0, stdout: "answer to question\n", stderr: "" });
});

test("a destination may end its side and still read on", forPython, async () => {
  let received = "";
  const script = `${HEAD}
assert s.recv(100) == b"greeting" and s.recv(100) == b""
s.sendall(b"x" * 300000 + b"last words")
s.shutdown(socket.SHUT_WR)
print("sent")`;
  const heard = Promise.withResolvers<void>();
  const done = await runAgainst((socket) => {
    socket.end("greeting");
    socket.on("data", (chunk) => received += chunk);
    socket.once("end", () => heard.resolve());
  }, script);
  assert.deepEqual(done, { status: 0, stdout: "sent\n", stderr: "" });
  await heard.promise;
  assert.equal(received.length, 300_010);
  assert.ok(received.endsWith("last words"));
});

test("a destination's reset is a reset in the program", forPython, async () => {
  const script = `${HEAD}
s.sendall(b"go")
try:
    print("read", s.recv(100))
except OSError as e:
    print(errno.errorcode[e.errno])`;
  const done = await runAgainst((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  }, script);
  assert.deepEqual(done, { status: 0, stdout: "ECONNRESET\n", stderr: "" });
});

test("a program's reset is a reset at the destination", forPython, async () => {
  const script = `${HEAD}
s.sendall(b"go")
s.recv(1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()`;
  const failure = Promise.withResolvers<string>();
  const done = await runAgainst((socket) => {
    socket.once("data", () => socket.write("x"));
    socket.on("error", (error: NodeJS.ErrnoException) => failure.resolve(error.code ?? ""));
    socket.once("end", () => failure.resolve("an end"));
  }, script);
  assert.deepEqual(done, { status: 0, stdout: "", stderr: "" });
  assert.equal(await failure.promise, "ECONNRESET");
});

test("an end that comes at once with the server's reply is not lost", forPython, async () => {
  const script = `
import socket
for i in range(100):
    s = socket.create_connection(("hello.example", 80))
    s.settimeout(5)
    answer = b""
    while chunk := s.recv(100):
        answer += chunk
    assert answer == b"short", answer
print("all")`;
  const done = await runAgainst((socket) => socket.end("short"), script);
  assert.deepEqual(done, { status: 0, stdout: "all\n", stderr: "" });
});

/** `total` bytes that are different everywhere, and their SHA-256. */
function makeStream(total: number): { stream: Readable; digest: string } {
  const block = Buffer.alloc(MEGABYTE);
  for (let at = 0; at < MEGABYTE; at += 4) block.writeUInt32BE((at * 2654435761) >>> 0, at);
  const blocks = total / MEGABYTE;
  const number = (index: number) => Buffer.concat([Buffer.from([index % 256]), block.subarray(1)]);
  const hash = createHash("sha256");
  for (let index = 0; index < blocks; index += 1) hash.update(number(index));
  function* generate() {
    for (let index = 0; index < blocks; index += 1) yield number(index);
  }
  return { stream: Readable.from(generate()), digest: hash.digest("hex") };
}

test("200 MB come down whole", forPython, async () => {
  const { stream, digest } = makeStream(200 * MEGABYTE);
  const script = `${HEAD}
h = hashlib.sha256()
while chunk := s.recv(1 << 20):
    h.update(chunk)
print(h.hexdigest())`;
  const done = await runAgainst((socket) => stream.pipe(socket), script);
  assert.deepEqual(done, { status: 0, stdout: `${digest}\n`, stderr: "" });
});

test("200 MB go up whole", forPython, async () => {
  const script = `${HEAD}
h = hashlib.sha256()
block = bytes(i * 7 % 251 for i in range(1000000))
for i in range(200):
    chunk = bytes([i]) + block[1:]
    h.update(chunk)
    s.sendall(chunk)
s.shutdown(socket.SHUT_WR)
print(h.hexdigest() == s.recv(100).decode())`;
  const done = await runAgainst((socket) => {
    const hash = createHash("sha256");
    socket.on("data", (chunk) => hash.update(chunk));
    socket.once("end", () => socket.end(hash.digest("hex")));
  }, script);
  assert.deepEqual(done, { status: 0, stdout: "True\n", stderr: "" });
});

/** The first value of `read` that stays the same for half a second. */
async function waitForStandstill(what: string, read: () => number): Promise<number> {
  let last = read();
  let since = performance.now();
  return await waitFor(`${what} to stand still`, () => {
    const value = read();
    if (value !== last) {
      last = value;
      since = performance.now();
    }
    return value > 0 && performance.now() - since > 500 ? value : undefined;
  });
}

const CLOSE_TO_SILENCE = `
import socket, sys
for way in ("close", "half", "close"):
    s = socket.create_connection(("hello.example", 80))
    s.sendall(b"x" * 300000)
    if way == "half":
        s.shutdown(socket.SHUT_WR)
        kept = s
    else:
        s.close()
sys.stdin.readline()
print(kept.recv(100))`;

test(
  "a destination that never ends is left when the program closes, not when it ends its side",
  forPython,
  async () => {
    await using home = await makeTempDir();
    const open = new Set<Socket>();
    let received = 0;
    await using destination = await startServer((socket) => {
      open.add(socket);
      socket.on("data", (chunk) => received += chunk.length);
    });
    const routes = { "hello.example": destination.port };
    await using server = await startReferenceServer({ routes });
    const options = ["--server", server.url(), "--no-env", "--debug", "1"];
    const args = ["run", ...options, "--", ...python(CLOSE_TO_SILENCE)];
    await using tsocks = startTsocks(args, home, { input: "open" });
    const ends = () => [...tsocks.stderr.matchAll(/END \S+ sent=300000 .* outcome=(\S+)/g)];
    await waitFor("two ends", () => ends().length === 2);
    assert.equal(received, 900_000);
    for (const socket of open) socket.end("late answer");
    await waitFor("the third", () => ends().length === 3);
    tsocks.child.stdin.end("\n");
    assert.equal((await tsocks.finished).stdout, "b'late answer'\n");
    assert.deepEqual(ends().map(([, outcome]) => outcome), ["ok", "ok", "ok"]);
  },
);

test("a slow reader stops the sender, and tsocks holds little meanwhile", forPython, async () => {
  const total = 300 * MEGABYTE;
  let sender: Socket | undefined;
  await using destination = await startServer((socket) => {
    sender = socket;
    const block = Buffer.alloc(MEGABYTE);
    Readable.from(function* () {
      for (let sent = 0; sent < total; sent += MEGABYTE) yield block;
    }()).pipe(socket);
  });
  await using server = await startReferenceServer({
    routes: { "hello.example": destination.port },
  });
  await using home = await makeTempDir();
  const script = `${HEAD}
print("connected", flush=True)
sys.stdin.readline()
count = 0
while chunk := s.recv(1 << 20):
    count += len(chunk)
print(count)`;
  const args = ["run", "--server", server.url(), "--no-env", "--", ...python(script)];
  await using tsocks = startTsocks(args, home, { input: "open", timeoutMs: 20_000 });
  await tsocks.waitForOutput(/connected\n/);
  const accepted = await waitForStandstill("the sender", () => sender?.bytesWritten ?? 0);
  assert.ok(accepted < 100 * MEGABYTE, `the sender was let send ${accepted} bytes`);
  const resident = residentBytes(tsocks.pid);
  assert.ok(resident < 200 * MEGABYTE, `tsocks holds ${resident} bytes`);
  tsocks.child.stdin.end("go\n");
  const { status, stdout, stderr } = await tsocks.finished;
  const expected = { status: 0, stdout: `connected\n${total}\n`, stderr: "" };
  assert.deepEqual({ status, stdout, stderr }, expected);
});

test("100 connections at once each carry their own", forPython, async () => {
  const script = `
import asyncio
async def one(i):
    reader, writer = await asyncio.open_connection("hello.example", 80)
    writer.write(b"%d" % i * 1000)
    writer.write_eof()
    assert await reader.read() == b"%d" % i * 1000
    writer.close()
async def main():
    await asyncio.gather(*[one(i) for i in range(100)])
    print("all")
asyncio.run(main())`;
  const done = await runAgainst((socket) => socket.pipe(socket), script);
  assert.deepEqual(done, { status: 0, stdout: "all\n", stderr: "" });
});

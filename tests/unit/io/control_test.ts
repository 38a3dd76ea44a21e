import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { type Answerer, listenControl } from "../../../src/io/control.ts";
import { DecisionLog } from "../../../src/io/log.ts";
import type { ControlRequest } from "../../../src/shim/control.ts";
import { waitFor } from "../../helpers/wait.ts";

const TOKEN = Uint8Array.from({ length: 16 }, (_, i) => i);

/** RESOLVE of "x", octet by octet as control.h draws it. */
function resolveRequest(token: Uint8Array): Uint8Array {
  return Uint8Array.of(0x54, 0x53, 1, 2, 0, 0, 0, 7, ...token, 0, 2, 0, 0x78);
}

/** Sends `pieces` one after the other; what came back until the end of the connection. */
async function converse(
  pieces: Uint8Array[],
  answer: (request: ControlRequest, signal: AbortSignal) => Promise<{ status: "libc" }>,
): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  const filePath = join(directory, "control");
  const log = new DecisionLog({ level: -1, format: "text", fd: 2 });
  const listener = await listenControl(filePath, { token: TOKEN, answer, log });
  try {
    assert.equal(statSync(filePath).mode & 0o777, 0o666);
    const socket = connect(filePath);
    const seen: number[] = [];
    socket.on("data", (chunk: Uint8Array) => seen.push(...chunk));
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.on("close", resolve));
    for (const piece of pieces) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    await closed;
    return seen;
  } finally {
    listener.close();
    rmSync(directory, { recursive: true });
  }
}

function answerLibc(asked: ControlRequest[]) {
  return (request: ControlRequest) => {
    asked.push(request);
    return Promise.resolve({ status: "libc" as const });
  };
}

const LIBC_ANSWER = [4, 0, 0, 0, 0, 0, 0, 0];

test("listenControl() answers a request with the token, whole or octet by octet", async () => {
  const asked: ControlRequest[] = [];
  const request = resolveRequest(TOKEN);
  assert.deepEqual(await converse([request], answerLibc(asked)), LIBC_ANSWER);
  const octets = [...request].map((octet) => Uint8Array.of(octet));
  assert.deepEqual(await converse(octets, answerLibc(asked)), LIBC_ANSWER);
  assert.deepEqual(asked.map((a) => a.op === "resolve" && a.name), ["x", "x"]);
});

test("listenControl() closes without a word on a wrong token and on garbage", async () => {
  const asked: ControlRequest[] = [];
  const wrong = TOKEN.map((octet) => octet ^ 1);
  const messages = [
    resolveRequest(wrong),
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    new Uint8Array(100_000),
  ];
  for (const message of messages) {
    assert.deepEqual(await converse([message], answerLibc(asked)), []);
  }
  assert.deepEqual(asked, []);
});

test("listenControl() tells the answerer when the program gives up", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const directory = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  const log = new DecisionLog({ level: -1, format: "text", fd: 2 });
  const listener = await listenControl(join(directory, "control"), {
    token: TOKEN,
    log,
    answer: (_, signal) => {
      signal.addEventListener("abort", () => resolve());
      asking.destroy();
      return new Promise(() => {});
    },
  });
  const asking = connect(join(directory, "control"));
  asking.write(resolveRequest(TOKEN));
  await promise;
  listener.close();
  rmSync(directory, { recursive: true });
});

/** A listener with narrow limits on `filePath`, gone after `body`. */
async function withListener(
  answer: Answerer,
  body: (filePath: string, listener: Server) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  const filePath = join(directory, "control");
  const log = new DecisionLog({ level: -1, format: "text", fd: 2 });
  const limits = { requestTimeoutMs: 100, maxUnheard: 50 };
  const listener = await listenControl(filePath, { token: TOKEN, answer, log, limits });
  try {
    await body(filePath, listener);
  } finally {
    listener.close();
    rmSync(directory, { recursive: true });
  }
}

/** Connects and writes `bytes`; what came back until the end. */
function ask(filePath: string, bytes: Uint8Array): { socket: Socket; answer: Promise<number[]> } {
  const socket = connect(filePath, () => socket.write(bytes));
  const seen: number[] = [];
  socket.on("data", (chunk: Uint8Array) => seen.push(...chunk));
  socket.on("error", () => {});
  return { socket, answer: new Promise((resolve) => socket.on("close", () => resolve(seen))) };
}

function countConnections(listener: Server): Promise<number> {
  return new Promise((resolve) => listener.getConnections((_, count) => resolve(count)));
}

test("listenControl() closes half a request after its time, but not who waits for an answer", async () => {
  const late = new Promise<{ status: "libc" }>((resolve) =>
    setTimeout(() => resolve({ status: "libc" }), 400)
  );
  await withListener(() => late, async (filePath) => {
    const startedAt = performance.now();
    const waiting = ask(filePath, resolveRequest(TOKEN));
    assert.deepEqual(await ask(filePath, resolveRequest(TOKEN).slice(0, 20)).answer, []);
    assert.ok(performance.now() - startedAt < 390);
    assert.deepEqual(await waiting.answer, LIBC_ANSWER);
  });
});

test("listenControl() keeps no answered connection, though the other end does", async () => {
  await withListener(answerLibc([]), async (filePath, listener) => {
    // A process that was forked meanwhile has the descriptor too, and does not know.
    const socket = connect({ path: filePath, allowHalfOpen: true });
    socket.write(resolveRequest(TOKEN));
    const [answer] = await once(socket, "data");
    assert.deepEqual([...answer], LIBC_ANSWER);
    await waitFor("its end", async () => await countConnections(listener) === 0);
    socket.destroy();
  });
});

test("listenControl() closes the oldest of a flood of idle connections, and answers who asks", async () => {
  const asked: ControlRequest[] = [];
  await withListener(answerLibc(asked), async (filePath, listener) => {
    const idle = Array.from({ length: 500 }, () => ask(filePath, new Uint8Array()));
    await Promise.all(idle.slice(0, 440).map(({ answer }) => answer));
    assert.ok(await countConnections(listener) <= 51);
    assert.deepEqual(await ask(filePath, resolveRequest(TOKEN)).answer, LIBC_ANSWER);
    for (const { socket } of idle) socket.destroy();
  });
});

test("listenControl() survives 5,000 mangled requests, and leaves no connection of theirs", async () => {
  const asked: ControlRequest[] = [];
  await withListener(answerLibc(asked), async (filePath, listener) => {
    let state = 7;
    const pick = (below: number) => (state = (state * 48271) % 2147483647) % below;
    const mangled = () => {
      const bytes = Uint8Array.from([
        ...resolveRequest(TOKEN),
        ...new Array<number>(pick(40)).fill(9),
      ]);
      for (let changes = 1 + pick(4); changes > 0; changes--) bytes[pick(30)] = pick(256);
      return bytes.subarray(0, pick(5) === 0 ? pick(29) : pick(2) ? 29 : bytes.length);
    };
    for (let round = 0; round < 100; round++) {
      const all = Array.from({ length: 50 }, () => ask(filePath, mangled()));
      setTimeout(() => all.forEach(({ socket }) => socket.destroy()), 20);
      await Promise.all(all.map(({ answer }) => answer));
    }
    assert.equal(asked.every(({ op }) => typeof op === "string"), true);
    assert.deepEqual(await ask(filePath, resolveRequest(TOKEN)).answer, LIBC_ANSWER);
    await waitFor("the end of all", async () => await countConnections(listener) === 0);
  });
});
